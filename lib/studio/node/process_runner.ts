import { type ChildProcess, fork } from 'node:child_process'
import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type JobId, StudioError } from '../api/index.js'
import { folderOf, pathsOf } from '../core/job_files.js'
import type { Command, Exit, Handle, Runner, Start } from '../core/runner.js'
import type { Store } from '../core/store.js'
import { environment, permissions } from './confinement.js'
import { openToAppend } from './node_store.js'
import { clearDead, livingMark, type ProcessMark, runsCommand, stillLives } from './process_mark.js'

export interface ProcessRunnerOptions {
  readonly root: string
  readonly store: Store
  /** The program of a job. */
  readonly program: URL
  /** Folders outside the project that jobs may read. */
  readonly data: readonly string[]
  /** Whether jobs run under Node's permission model. */
  readonly confined: boolean
}

/** Milliseconds between looks at a process that somebody else started. */
const POLL = 200

/** Bytes of the end of what a process said, for a person. */
const LAST_WORDS = 2000

/** In a job's folder: who is at it, and what its process said. */
const MARK = 'process.json'
const OUTPUT = 'output.txt'

/** Each job in a process of its own, which outlives this one. */
export class ProcessRunner implements Runner {
  constructor(private readonly options: ProcessRunnerOptions) {}

  async start({ id, attempt, threads, addons }: Start): Promise<Handle> {
    const { root, data, confined, store } = this.options
    const folder = store.location(folderOf(id))!
    // a job may not look at other processes: who starts it has looked for it
    clearDead(join(folder, MARK), this.command(id))
    const said = openToAppend(join(folder, OUTPUT))
    try {
      const [program, ...words] = this.command(id)
      const child = fork(program, [...words, String(attempt), String(threads)], {
        cwd: root,
        detached: true,
        stdio: ['ignore', said, said, 'ipc'],
        env: environment(),
        execArgv: confined ? permissions({ read: [root, ...data], write: [folder], addons: addons === true }) : [],
      })
      await new Promise<void>((done, failed) => child.once('spawn', done).once('error', failed))
      // neither the child nor the channel keeps a server from ending
      child.unref()
      child.channel?.unref()
      return this.own(child, id)
    } finally {
      closeSync(said)
    }
  }

  async adopt(id: JobId): Promise<Handle | undefined> {
    const folder = this.options.store.location(folderOf(id))!
    const mark = livingMark(join(folder, MARK), this.command(id))
    return mark && this.adopted(mark, id)
  }

  /** Program and first arguments of a job: no other process has these. */
  private command(id: JobId): [string, ...string[]] {
    return [fileURLToPath(this.options.program), this.options.root, id]
  }

  private own(child: ChildProcess, id: JobId): Handle {
    const exited = new Promise<Exit>(resolve =>
      child.once('exit', async (code, signal) =>
        resolve({ orderly: code === 0, reason: await this.reasonOf(code, signal, id) }),
      ),
    )
    const write = (command: Command) => this.write(id, command)
    return {
      exited,
      async command(command) {
        const sent = new Promise<boolean>(done => {
          if (child.connected) child.send(command, error => done(error === null))
          else done(false)
        })
        if (!(await sent)) await write(command)
      },
      kill: () => void child.kill('SIGKILL'),
    }
  }

  private adopted(mark: ProcessMark, id: JobId): Handle {
    const exited = new Promise<Exit>(resolve => {
      const look = async () => {
        if (stillLives(mark)) setTimeout(look, POLL).unref()
        else resolve({ orderly: false, reason: `its process ended${await this.lastWords(id)}` })
      }
      look()
    })
    return {
      exited,
      command: command => this.write(id, command),
      kill: () => {
        if (!stillLives(mark)) return
        if (!runsCommand(mark, this.command(id)))
          throw new StudioError(
            `the process ${mark.pid} is not ended: this system does not tell whether it is the job's; end it by hand`,
            409,
          )
        process.kill(mark.pid, 'SIGKILL')
      },
    }
  }

  /** Tell a job by its file, which it reads now and then. */
  private async write(id: JobId, command: Command): Promise<void> {
    const { store } = this.options
    const path = pathsOf(id).control
    try {
      const file = await store.appender(path)
      try {
        file.append(`${JSON.stringify({ command })}\n`)
      } finally {
        file.close()
      }
    } catch (error) {
      throw new StudioError(`the job cannot be told: '${path}' cannot be written: ${(error as Error).message}`, 500)
    }
  }

  private async reasonOf(code: number | null, signal: NodeJS.Signals | null, id: JobId): Promise<string> {
    const how = signal ? `its process was ended by ${signal}` : `its process ended with code ${code}`
    const memory = code === 134 || signal === 'SIGABRT' ? ', as it does when memory runs out' : ''
    return `${how}${memory}${code === 0 ? '' : await this.lastWords(id)}`
  }

  private async lastWords(id: JobId): Promise<string> {
    const { store } = this.options
    const path = `${folderOf(id)}/${OUTPUT}`
    try {
      const size = (await store.size(path)) ?? 0
      const text = new TextDecoder().decode(await store.read(path, Math.max(0, size - LAST_WORDS))).trim()
      return text === '' ? '' : `; its last words:\n${text}`
    } catch {
      // a folder that cannot be read has none
      return ''
    }
  }
}

import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JobId } from '../api/index.js'
import { folderOf, type JobFile } from '../core/job_files.js'
import type { Command, Exit, Handle, Runner, Start } from '../core/runner.js'
import { readJson, type Store } from '../core/store.js'
import { environment, permissions } from './confinement.js'
import { clearDead, livingMark, type ProcessMark, stillLives } from './process_mark.js'

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

/** The end of what a process said, for a person. */
const LAST_WORDS = 2000

/** Each job in a process of its own, which outlives this one. */
export class ProcessRunner implements Runner {
  constructor(private readonly options: ProcessRunnerOptions) {}

  async start({ id, attempt, threads }: Start): Promise<Handle> {
    const { root, program, data, confined, store } = this.options
    const folder = store.location(folderOf(id))!
    const job = await readJson<JobFile>(store, `${folderOf(id)}/job.json`)
    const native = job?.kind === 'model' && 'engine' in job.form && job.form.engine === 'native'
    // a job may not look at other processes: who starts it has looked for it
    clearDead(join(folder, 'process.json'))
    const said = openSync(join(folder, 'output.txt'), 'a')
    try {
      const child = fork(fileURLToPath(program), [root, id, String(attempt), String(threads)], {
        cwd: root,
        detached: true,
        stdio: ['ignore', said, said, 'ipc'],
        env: environment(),
        execArgv: confined ? permissions({ read: [root, ...data], write: [folder], addons: native }) : [],
      })
      await new Promise<void>((done, failed) => child.once('spawn', done).once('error', failed))
      // neither the child nor the channel keeps a server from ending
      child.unref()
      child.channel?.unref()
      return this.own(child, folder)
    } finally {
      closeSync(said)
    }
  }

  async adopt(id: JobId): Promise<Handle | undefined> {
    const folder = this.options.store.location(folderOf(id))!
    const mark = livingMark(join(folder, 'process.json'))
    return mark && this.adopted(mark, folder)
  }

  private own(child: ChildProcess, folder: string): Handle {
    const exited = new Promise<Exit>(resolve =>
      child.once('exit', (code, signal) => resolve({ orderly: code === 0, reason: reasonOf(code, signal, folder) })),
    )
    return {
      exited,
      command: command => {
        if (child.connected) child.send(command, error => error && this.write(folder, command))
        else this.write(folder, command)
      },
      kill: () => void child.kill('SIGKILL'),
    }
  }

  private adopted(mark: ProcessMark, folder: string): Handle {
    const exited = new Promise<Exit>(resolve => {
      const look = () => {
        if (stillLives(mark)) setTimeout(look, POLL).unref()
        else resolve({ orderly: false, reason: `its process ended${lastWords(folder)}` })
      }
      look()
    })
    return {
      exited,
      command: command => this.write(folder, command),
      kill: () => {
        if (stillLives(mark)) process.kill(mark.pid, 'SIGKILL')
      },
    }
  }

  private write(folder: string, command: Command): void {
    appendFile(join(folder, 'control.jsonl'), `${JSON.stringify({ command })}\n`).catch(() => {})
  }
}

function reasonOf(code: number | null, signal: NodeJS.Signals | null, folder: string): string {
  const how = signal ? `its process was ended by ${signal}` : `its process ended with code ${code}`
  const memory = code === 134 || signal === 'SIGABRT' ? ', as it does when memory runs out' : ''
  return `${how}${memory}${code === 0 ? '' : lastWords(folder)}`
}

function lastWords(folder: string): string {
  try {
    const text = readFileSync(join(folder, 'output.txt'), 'utf8').trimEnd()
    return text === '' ? '' : `; its last words:\n${text.slice(-LAST_WORDS)}`
  } catch {
    return ''
  }
}

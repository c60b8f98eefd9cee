/** Jobs as processes that somebody else started: told by their file, and no other process is taken for one. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { nodeStore } from '../../../lib/studio/node/node_store.js'
import { ProcessRunner } from '../../../lib/studio/node/process_runner.js'
import { temporaryFolder } from '../built.js'

const id = '20261129-0131-k7f3'
const start = { id, kind: 'model', attempt: 1, threads: 1 } as const

/** A job that does nothing until it is ended. */
const PROGRAM = `import { writeFileSync, renameSync } from 'node:fs'
const mark = process.argv[2] + '/jobs/' + process.argv[3] + '/process.json'
writeFileSync(mark + '.new', JSON.stringify({ pid: process.pid, at: Date.now() }))
renameSync(mark + '.new', mark)
process.stdout.write('at work\\n')
setInterval(() => {}, 1000)
`

async function rig() {
  const root = await temporaryFolder()
  const folder = join(root, 'jobs', id)
  await mkdir(folder, { recursive: true })
  const program = join(root, 'job.mjs')
  await writeFile(program, PROGRAM)
  const options = { root, store: nodeStore(root), program: pathToFileURL(program), data: [], confined: false }
  return { root, folder, mark: join(folder, 'process.json'), runner: () => new ProcessRunner(options) }
}

const pause = () => new Promise(resolve => setTimeout(resolve, 20))

async function started() {
  const all = await rig()
  const own = await all.runner().start(start)
  onTestFinished(() => own.kill())
  while (!existsSync(all.mark)) await pause()
  return { ...all, own }
}

test('a job of an earlier server is told by its file, says what it said, and is ended', async () => {
  const { runner, folder } = await started()
  const adopted = (await runner().adopt(id))!
  await adopted.command('stop')
  expect(await readFile(join(folder, 'control.jsonl'), 'utf8')).toBe('{"command":"stop"}\n')
  adopted.kill()
  expect(await adopted.exited).toEqual({ orderly: false, reason: 'its process ended; its last words:\nat work' })
  expect(await runner().adopt(id)).toBeUndefined()
})

test('what cannot be written to that file is told to who asked, and nothing is written through a link', async () => {
  const { runner, folder, root } = await started()
  const adopted = (await runner().adopt(id))!
  await mkdir(join(folder, 'control.jsonl'))
  await expect(adopted.command('stop')).rejects.toMatchObject({
    name: 'StudioError',
    message: expect.stringMatching(/^the job cannot be told: 'jobs\/.*control\.jsonl' cannot be written: .*EISDIR/),
  })
  await rm(join(folder, 'control.jsonl'), { recursive: true })
  await writeFile(join(root, 'elsewhere'), 'whole')
  await symlink(join(root, 'elsewhere'), join(folder, 'control.jsonl'))
  await expect(adopted.command('stop')).rejects.toThrow(/symbolic link/)
  expect(await readFile(join(root, 'elsewhere'), 'utf8')).toBe('whole')
})

test("a job's mark that names another process: it is not followed, not ended, and does not keep the job from starting", async () => {
  const { runner, mark } = await rig()
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  onTestFinished(() => void other.kill('SIGKILL'))
  await new Promise(resolve => other.once('spawn', resolve))
  for (const pid of [other.pid, -1, 0, process.pid]) {
    await writeFile(mark, JSON.stringify({ pid, at: Date.now() }))
    expect(await runner().adopt(id)).toBeUndefined()
  }
  await writeFile(mark, JSON.stringify({ pid: other.pid, at: Date.now() }))
  const own = await runner().start(start)
  onTestFinished(() => own.kill())
  while (!(await readFile(mark, 'utf8').catch(() => '')).includes('pid') || !(await runner().adopt(id))) await pause()
  const adopted = (await runner().adopt(id))!
  // changed under the one who follows it: what was adopted is what is ended
  await writeFile(mark, JSON.stringify({ pid: other.pid, at: Date.now() }))
  adopted.kill()
  await adopted.exited
  expect(other.exitCode ?? other.signalCode).toBeNull()
})

test('what a job says is not written through a link that it put there', async () => {
  const { runner, folder, root } = await rig()
  await writeFile(join(root, 'elsewhere'), 'whole')
  await symlink(join(root, 'elsewhere'), join(folder, 'output.txt'))
  await expect(runner().start(start)).rejects.toThrow(/ELOOP|symbolic link/)
  expect(await readFile(join(root, 'elsewhere'), 'utf8')).toBe('whole')
})

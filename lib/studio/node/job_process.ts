/**
 * A job in a process of its own: `node job_process.js <project> <id> <attempt> <threads>`. It does not mind when the one that
 * started it ends. It exits with 0 when its last event is written, with 75 if another process is at the job already.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { folderOf, pathsOf } from '../core/job_files.js'
import type { Command } from '../core/runner.js'
import { jobFunction } from '../jobs/index.js'
import { runJob } from '../jobs/run_job.js'
import { ControlFile } from './control_file.js'
import { claimFile, releaseFile } from './process_mark.js'
import { nodeProject } from './project_context.js'

const [root, id, attempt, threads] = process.argv.slice(2)

/** Another process is at the job. */
const BUSY = 75

async function main(): Promise<number> {
  const folder = join(root, ...folderOf(id).split('/'))
  statSync(folder)
  const mark = join(folder, 'process.json')
  if (!claimFile(mark)) return BUSY
  process.chdir(folder)
  const project = nodeProject(root)
  const listeners: ((command: Command) => void)[] = []
  const command = (given: unknown) => {
    if (given === 'stop' || given === 'snapshot' || given === 'stars') for (const listener of listeners) listener(given)
  }
  const control = new ControlFile(project.store, pathsOf(id).control, command)
  process.on('message', command)
  process.on('disconnect', () => {})
  process.on('SIGTERM', () => command('stop'))
  // a terminal's Ctrl-C is for the server
  process.on('SIGINT', () => {})
  await control.watch()
  try {
    await runJob({ id, attempt: Number(attempt), threads: Number(threads) }, jobFunction, {
      project,
      onCommand: listener => listeners.push(listener),
      memory: () => process.memoryUsage.rss(),
    })
  } finally {
    control.close()
    releaseFile(mark)
  }
  return 0
}

main().then(
  // custom layers may hold something open
  code => process.exit(code),
  error => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    process.exit(1)
  },
)

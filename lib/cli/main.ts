#!/usr/bin/env node

import { processOutput } from './reader.js'

const { output, end } = processOutput()

/** The program itself, or the end of this one with a line that says why it cannot be loaded. */
async function load(): Promise<typeof import('./program.js')> {
  try {
    return await import('./program.js')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const advice = code === 'EMFILE' ? '; raise the number of files that may be open: ulimit -n 256' : ''
    process.stderr.write(`ristretto: its own files cannot be read: ${message}${advice}\n`)
    process.exit(1)
  }
}

const { run } = await load()
const argv = process.argv.slice(2)
process.exitCode = await run(argv, { ...output, program: { url: import.meta.url, argv } })
end()

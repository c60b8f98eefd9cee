import type { Output } from './output.js'

/** What shells say of a program that SIGPIPE ended. */
const NO_READER = 141

/** The pipe is closed, or the terminal is gone. */
const isGone = ({ code }: NodeJS.ErrnoException): boolean =>
  code === 'EPIPE' || code === 'EIO' || code === 'ENXIO' || code === 'EBADF' || code === 'ERR_STREAM_DESTROYED'

/**
 * The process's own streams. A log that finds no room any more (`> log` on a full disk) is one that nobody reads, which
 * is said once. Who reads them may go away (`ristretto … | head`, a closed terminal): a command whose
 * result is the output ends with a code that says so; one that has said `writesFiles` goes on, unheard.
 */
export function processOutput(): { output: Output; end(): void } {
  let needsReader = true
  let isHungUp = false
  let isFull = false
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (isGone(error)) isHungUp ||= stream.isTTY === true
      else if (!isFull) {
        isFull = true
        if (stream === process.stdout)
          process.stderr.write(
            `ristretto: cannot write to standard output: ${error.message}${needsReader ? '' : '; the work goes on unheard'}\n`,
          )
      }
      if (needsReader && stream === process.stdout) process.exit(isFull ? 1 : NO_READER)
    })
  const output: Output = {
    out: process.stdout,
    err: process.stderr,
    writesFiles() {
      needsReader = false
    },
  }
  return {
    output,
    end() {
      if (!isHungUp) return
      // Node aborts where it cannot give a terminal its modes back: end as the hang-up would have ended this program
      process.removeAllListeners('SIGHUP')
      process.kill(process.pid, 'SIGHUP')
    },
  }
}

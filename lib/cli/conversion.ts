import { EngineError } from '../errors.js'
import { type Output, print, warn } from './output.js'
import { ProgressBar } from './progress.js'

/** What a conversion of files says while it runs: a bar on a terminal, else a line every thousand files; nothing with --json. */
export function conversionLog(output: Output, json: boolean | undefined) {
  let bar: ProgressBar | undefined
  const log = json ? () => {} : (line: string) => print(output, line)
  return {
    log,
    onProgress(done: number, total: number): void {
      if (output.out.isTTY && !json) {
        bar ??= new ProgressBar(output, 'Converting', total, [])
        bar.update(done)
      } else if (done % 1000 === 0) log(`Processed ${done} files.`)
    },
    onSkip(file: string, error: Error): void {
      // a package that is not installed is no fault of the file, and would be missing for all of them
      if (error instanceof EngineError) throw error
      warn(output, `left out ${file}: ${error.message}`)
    },
    /** Take the bar away. */
    stop: () => bar?.stop(),
  }
}

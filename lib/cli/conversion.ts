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
    onSkip(_file: string, error: Error): void {
      warn(output, `left out ${error.message}`)
    },
    /** Take the bar away. */
    stop: () => bar?.stop(),
  }
}

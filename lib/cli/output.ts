import { glogLine } from './glog.js'

/** A stream that text goes to: process.stdout, process.stderr, or a test's collector. */
export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/**
 * What a command reports goes to `out`, errors to `err`. Everything reported is one stream, so that `| tee log`, `| grep` and `> log`
 * work; Caffe's habit `2>&1 | tee log` does, too.
 */
export interface Output {
  readonly out: NodeJS.WritableStream & TextStream
  readonly err: TextStream
}

export const print = (output: Output, text: string): void => {
  output.out.write(`${text}\n`)
}

/** One line of Caffe's log, with glog's prefix. */
export const printLog = (output: Output, text: string, tag?: string): void => print(output, glogLine(text, tag))

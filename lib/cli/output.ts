import { join } from 'node:path'
import { printable, printableJson, printableLines } from '../system/escape.js'
import { mustBeWritable } from '../system/writable.js'
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
  /** From now on the command's result is a file: it goes on when nobody reads what it says. */
  writesFiles?(): void
  /** The program itself, where it is one: what starts it again with the same words. */
  readonly program?: { readonly url: string; readonly argv: readonly string[] }
}

/** One line, in which nothing moves the terminal or begins another. */
export const print = (output: Output, line: string): void => {
  output.out.write(`${printable(line)}\n`)
}

/** Text that is the result, of several lines. */
export const printText = (output: Output, text: string): void => {
  output.out.write(printableLines(text))
}

/** A result for programs, in one line. */
export const printJson = (output: Output, value: unknown): void => {
  output.out.write(`${printableJson(value)}\n`)
}

/** A notice of one line, beside the results. */
export const warn = (output: Output, line: string): void => {
  output.err.write(`${printable(line)}\n`)
}

/** One line of Caffe's log, with glog's prefix. */
export const printLog = (output: Output, text: string, tag?: string): void => print(output, glogLine(text, tag))

/** The command's result will be this file: found out before the work if it cannot be written. */
export async function resultFile(output: Output, path: string): Promise<void> {
  output.writesFiles?.()
  await mustBeWritable(path)
}

/** The same for an LMDB, which is a folder. */
export const resultDatabase = (output: Output, folder: string): Promise<void> =>
  resultFile(output, join(folder, 'data.mdb'))

export const filesLeftOut = (files: number): string => `${files} ${files === 1 ? 'file' : 'files'} left out`

import { stat } from 'node:fs/promises'
import { FormatError } from '../errors.js'
import { type LogTables, parseLog } from '../tools/parse_log.js'
import { readBytes } from './input_file.js'

/** Read a log of Caffe's, or of `ristretto train`. */
export async function readLogFile(file: string): Promise<LogTables> {
  // what a crash leaves of a log may hold zeros
  const text = new TextDecoder().decode(await readBytes(file))
  const { mtime } = await stat(file)
  const tables = parseLog(text, mtime.getFullYear())
  if (!tables.train.length && !tables.test.length)
    throw new FormatError(
      `${file}: no training log: it has no line 'Train net output #0: …' or 'Test net output #0: …' after an 'Iteration …'; ` +
        'ristretto train prints such lines when its output goes to a file or a pipe (or with --plain), if the solver says display or test_interval',
    )
  return tables
}

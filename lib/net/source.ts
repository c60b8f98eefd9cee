import { FormatError } from '../errors.js'
import type { NetParameter } from '../generated/caffe.js'
import { checkMessage } from '../proto/message.js'
import { parseNet } from '../proto/text.js'
import { upgradeNet } from '../proto/upgrade.js'
import { type FileSource, type Files, fileName, isFileSource } from '../system/files.js'

/** A NetParameter from wherever it is, checked and upgraded. */
export async function readNet(
  source: FileSource | NetParameter,
  files: Files,
): Promise<{ param: NetParameter; files: Files }> {
  if (!isFileSource(source)) return { param: upgradeNet(checkMessage('NetParameter', source, 'net')), files }
  const file = fileName(source)
  if (/\blayers?\s*{/.test(file))
    throw new FormatError('this is the text of a prototxt, not its path: parse it first, Net.create(parseNet(text))')
  const text = new TextDecoder().decode(await files.read(source))
  if (BINARY.test(text.slice(0, 256)))
    throw new FormatError(
      `${file}: a net is described by text, a .prototxt; this file is binary: if it is a model, it belongs into the option weights`,
    )
  return { param: upgradeNet(parseNet(text, { file })), files: files.near(source) }
}

/** Control characters that no text has. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const BINARY = /[\0-\x08\x0e-\x1f]/

/** A seed for a run that did not ask for one; it is reported, so the run can be repeated. */
export function drawSeed(): number {
  const words = new Uint32Array(1)
  crypto.getRandomValues(words)
  return words[0]
}

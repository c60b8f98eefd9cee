import { stat } from 'node:fs/promises'
import { RistrettoError } from '../errors.js'
import { readFile, textFrom } from '../system/read_file.js'

/** The bytes of a file that the user named; of what is open already (`/dev/stdin`, `<(command)`), all that comes. */
export async function readBytes(file: string): Promise<Uint8Array> {
  await mustExist(file)
  return readFile(file, { streams: /^\/(dev\/(stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/.test(file) })
}

export const readText = async (file: string): Promise<string> => textFrom(await readBytes(file), file)

export async function mustExist(path: string, what = 'file'): Promise<void> {
  await stat(path).catch(() => {
    throw new RistrettoError(`${what} not found: '${path}'`)
  })
}

export const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false

/**
 * The text in the bytes, or undefined if they are none: a binary message has tags that are no characters, or is not
 * UTF-8.
 */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    // \t \n \v \f \r are characters of texts
    return /[^\P{Cc}\t-\r]/u.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

import { readFile, stat } from 'node:fs/promises'
import { RistrettoError } from '../errors.js'

/** The bytes of a file that the user named. */
export async function readBytes(file: string): Promise<Uint8Array> {
  await mustBeFile(file)
  return new Uint8Array(await readFile(file))
}

export async function readText(file: string): Promise<string> {
  await mustBeFile(file)
  return readFile(file, 'utf8')
}

export async function mustExist(path: string, what = 'file'): Promise<void> {
  await stat(path).catch(() => {
    throw new RistrettoError(`${what} not found: '${path}'`)
  })
}

export const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false

async function mustBeFile(file: string): Promise<void> {
  await mustExist(file)
  if (await isFolder(file)) throw new RistrettoError(`'${file}' is a folder; name a file`)
}

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

/** Archives of a few files: zip, and tar packed with gzip. Bytes in, bytes out, so that they work in a browser. */
import { FormatError } from '../errors.js'
import { importNode, isNode } from '../system/nodejs.js'
import { bytesSource } from './byte_source.js'
import { crc32 } from './crc32.js'
import { importDeflate } from './inflate.js'
import { type ZipEntry, zipEntries, zipPacked } from './zip.js'

/** Most files in an archive of a model. */
const MOST_FILES = 10_000

/** How much is unpacked, in bytes, all files together. */
export const MOST_UNPACKED = 2 ** 31 - 1

/** Whether bytes begin as an archive does that is read here. */
export const isArchive = (bytes: Uint8Array): boolean => isZip(bytes) || isGzip(bytes) || isTar(bytes)

const isZip = (bytes: Uint8Array): boolean => bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] <= 5 && bytes[3] <= 6
const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b
const isTar = (bytes: Uint8Array): boolean => String.fromCharCode(...bytes.subarray(257, 262)) === 'ustar'

/**
 * The files of a .zip, .tar.gz or .tar, by name. A FormatError for a name that leads out of the archive or is there
 * twice, for links, checksums that are wrong, and for what would unpack to more than `most` bytes.
 */
export async function readArchive(
  bytes: Uint8Array,
  file: string,
  most = MOST_UNPACKED,
): Promise<Map<string, Uint8Array>> {
  if (isZip(bytes)) return readZip(bytes, file, most)
  const tar = isGzip(bytes) ? await gunzip(bytes, file, most) : bytes
  if (!isTar(tar)) throw new FormatError(`${file}: this is no archive: a .zip or .tar.gz is expected`)
  return readTar(tar, file)
}

async function readZip(bytes: Uint8Array, file: string, most: number): Promise<Map<string, Uint8Array>> {
  const source = bytesSource(bytes, file)
  const entries = zipEntries(source).filter(({ name }) => !name.endsWith('/'))
  mustBeFew(entries.length, file)
  const total = entries.reduce((sum, { size }) => sum + size, 0)
  if (total > most) throw new FormatError(`${file}: its files have ${total} bytes, at most ${most} are unpacked`)
  const deflate = await importDeflate()
  const files = new Map<string, Uint8Array>()
  for (const entry of entries) {
    const { name, method, size, crc } = entry
    const fail = (what: string): never => {
      throw new FormatError(`${file}: '${name}' ${what}`)
    }
    refuse(entry, fail)
    if (files.has(name)) fail('is in it twice')
    const packed = zipPacked(source, entry)
    let content: Uint8Array
    try {
      content = method === 8 ? deflate.unpack(packed, size, 'raw') : packed
    } catch (error) {
      throw new FormatError(`${file}: '${name}': ${(error as Error).message}`, { cause: error })
    }
    if (content.length !== size || crc32(content) !== crc) fail('is damaged: its checksum is another')
    files.set(name, content)
  }
  return files
}

function refuse({ name, link, encrypted, method }: ZipEntry, fail: (what: string) => never): void {
  const fault = nameFault(name)
  if (fault) fail(fault)
  if (link) fail('is a symbolic link')
  if (encrypted) fail('is encrypted')
  if (method !== 0 && method !== 8) fail(`is packed by method ${method}; stored (0) and deflated (8) files are read`)
}

/** What is wrong with a name as a path within an archive. */
function nameFault(name: string): string | undefined {
  if (name === '' || name.includes('\0')) return 'is no name of a file'
  const leaves = name.startsWith('/') || /^[a-z]:/i.test(name) || name.split(/[/\\]/).includes('..')
  return leaves ? 'has a name that leads out of the archive' : undefined
}

function mustBeFew(count: number, file: string): void {
  if (count > MOST_FILES) throw new FormatError(`${file}: it holds ${count} files, at most ${MOST_FILES} are read`)
}

/** What gzip packed. */
async function gunzip(bytes: Uint8Array, file: string, most: number): Promise<Uint8Array> {
  const tooLarge = () => new FormatError(`${file}: it would unpack to more than ${most} bytes`)
  try {
    if (isNode) {
      const { gunzipSync } = await importNode('node:zlib')
      return new Uint8Array(gunzipSync(bytes, { maxOutputLength: most }))
    }
    const { Gunzip } = await import('fflate')
    const parts: Uint8Array[] = []
    let total = 0
    const stream = new Gunzip(part => {
      total += part.length
      if (total > most) throw tooLarge()
      parts.push(part)
    })
    for (let at = 0; at < bytes.length; at += STEP)
      stream.push(bytes.subarray(at, at + STEP), at + STEP >= bytes.length)
    const whole = new Uint8Array(total)
    let at = 0
    for (const part of parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  } catch (error) {
    if (error instanceof FormatError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw new FormatError(`${file}: its packed data are damaged: ${(error as Error).message}`, { cause: error })
  }
}

/** Bytes that are unpacked before what came out is counted. */
const STEP = 2 ** 16

const BLOCK = 512

/** The regular files of a tar: ustar, GNU's long names, pax paths. */
function readTar(bytes: Uint8Array, file: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  let longName: string | undefined
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK)
    if (header.every(byte => byte === 0)) break
    const fail = (what: string): never => {
      throw new FormatError(`${file}: the entry at byte ${at} ${what}`)
    }
    if (!sumFits(header)) fail('is damaged: its checksum is another')
    const size = octal(header.subarray(124, 136))
    if (!Number.isSafeInteger(size) || at + BLOCK + size > bytes.length) fail('is cut short')
    const content = bytes.subarray(at + BLOCK, at + BLOCK + size)
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
    const kind = header[156] === 0 ? '0' : String.fromCharCode(header[156])
    if (kind === 'L') longName = text(content)
    else if (kind === 'x') longName = paxPath(content) ?? longName
    else {
      const prefix = text(header.subarray(345, 500))
      const own = text(header.subarray(0, 100))
      const name = (longName ?? (prefix && isUstar(header) ? `${prefix}/${own}` : own)).replace(/^(\.\/)+/, '')
      longName = undefined
      if (kind === '5' || kind === 'g' || name.endsWith('/')) continue
      const fault = nameFault(name)
      if (fault) fail(fault)
      if (kind !== '0') fail(`, '${name}', is no regular file`)
      if (files.has(name)) fail(`, '${name}', is in it twice`)
      files.set(name, content)
      mustBeFew(files.size, file)
    }
  }
  return files
}

/** GNU's own form has other things where ustar has a prefix. */
const isUstar = (header: Uint8Array): boolean => header[262] === 0

/** Bytes up to the first zero. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}

const octal = (bytes: Uint8Array): number => {
  const digits = text(bytes).trim()
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN
}

/** Every header has the sum of its bytes, in which the sum itself counts as spaces. */
function sumFits(header: Uint8Array): boolean {
  let sum = 0
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : header[i]
  return octal(header.subarray(148, 156)) === sum
}

/** "27 path=a/long/name\n" */
const paxPath = (content: Uint8Array): string | undefined =>
  /(?:^|\n)\d+ path=([^\n]*)\n/.exec(new TextDecoder().decode(content))?.[1]

/** A zip of these files, in their order; the same files give the same bytes. Texts are deflated, other files stored. */
export async function writeZip(files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const { zipSync } = await import('fflate')
  // the first day that a zip knows
  const mtime = new Date(1980, 0, 1)
  const level = (name: string): 0 | 6 => (/\.(caffemodel|binaryproto)$/.test(name) ? 0 : 6)
  return zipSync(Object.fromEntries([...files].map(([name, bytes]) => [name, [bytes, { level: level(name) }]])), {
    mtime,
  })
}

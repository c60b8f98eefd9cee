import { type ByteSource, bytesSource, fileSource } from '../../data/byte_source.js'
import { type ZipEntry, zipEntries, zipPacked } from '../../data/zip.js'
import { FormatError } from '../../errors.js'
import { importNode } from '../../system/nodejs.js'
import type { FileBytes, FindOptions, Found, LeftOut } from './candidates.js'
import { classFolders, type FileBelow } from './class_folders.js'

/** A zip of a folder of pictures for each class: its path, or its bytes. */
export interface ZipSource {
  readonly zip: string | Uint8Array | ByteSource
}

/** A picture file that is read whole: 256 MiB. */
const MOST_FILE = 2 ** 28

/** The pictures in a zip, which is read by its directory, entry by entry. */
export async function zipPictures({ zip }: ZipSource, { classes }: FindOptions): Promise<Found> {
  const own = typeof zip === 'string' || zip instanceof Uint8Array
  const source =
    typeof zip === 'string' ? await fileSource(zip) : zip instanceof Uint8Array ? bytesSource(zip, 'the zip') : zip
  try {
    const files: FileBelow[] = []
    const folders = new Set<string>()
    const leftOut: LeftOut[] = []
    const seen = new Set<string>()
    for (const entry of zipEntries(source)) {
      const { name } = entry
      const reason = faultOf(entry) ?? (seen.has(name) ? 'it is in the zip twice' : undefined)
      seen.add(name)
      if (reason !== undefined) leftOut.push({ file: name, reason })
      else if (name.endsWith('/')) folders.add(name.slice(0, -1))
      else files.push({ path: name, source: { kind: 'file', read: () => read(source, entry) } })
    }
    files.sort((a, b) => (a.path < b.path ? -1 : 1))
    const found = classFolders(files, [...folders].sort(), source.name, classes, leftOut)
    const identity = typeof zip === 'string' ? await identityOf(zip) : undefined
    return { ...found, identity, close: own ? () => source.close() : undefined }
  } catch (error) {
    if (own) source.close()
    throw error
  }
}

async function identityOf(path: string): Promise<string> {
  const { realpath, stat } = await importNode('node:fs/promises')
  const { size, mtimeMs, ctimeMs } = await stat(path)
  return [await realpath(path), size, mtimeMs, ctimeMs].join(' ')
}

/** Why an entry is not read. */
function faultOf({ name, method, encrypted, link, size }: ZipEntry): string | undefined {
  if (name.startsWith('/') || /^[a-z]:/i.test(name) || name.split('/').includes('..') || name.includes('\0'))
    return 'its name leads out of the zip'
  if (link) return 'it is a symbolic link'
  if (encrypted) return 'it is encrypted'
  if (method !== 0 && method !== 8)
    return `it is packed by method ${method}; stored (0) and deflated (8) files are read`
  if (size > MOST_FILE) return `it has ${size} bytes; picture files are read up to ${MOST_FILE}`
  return undefined
}

function read(source: ByteSource, entry: ZipEntry): FileBytes {
  const bytes = zipPacked(source, entry)
  const { method, size, crc } = entry
  if (method === 8) return { bytes, packed: { size, crc } }
  if (bytes.length !== size) throw new FormatError('its size in the zip is another: it is damaged')
  return { bytes }
}

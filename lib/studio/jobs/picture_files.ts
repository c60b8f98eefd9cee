import { type ByteSource, fileSource } from '../../data/byte_source.js'
import { crc32 } from '../../data/crc32.js'
import { importDeflate } from '../../data/inflate.js'
import { type ZipEntry, zipEntries, zipPacked } from '../../data/zip.js'
import { importNode } from '../../system/nodejs.js'
import { type Place, StudioError } from '../api/index.js'
import type { ProjectContext } from '../core/job_context.js'
import { listAll } from '../core/store.js'

/** A picture that lies somewhere. */
export interface PictureFile {
  readonly name: string
  /** Of the folders that it lies in, the innermost one that is called like a class. */
  readonly label?: number
  read(): Promise<Uint8Array>
}

export interface PictureFiles {
  readonly files: readonly PictureFile[]
  close(): void
}

const PICTURE = /\.(png|jpe?g|jpe|jfif|gif|bmp|webp)$/i
/** A picture file that is read whole. */
const MOST_FILE = 2 ** 28
const MOST_FILES = 1_000_000

/** The pictures of an upload or a path, in folders or in one zip; those in folders called like a class have its label. */
export async function pictureFiles(
  place: Place,
  classes: readonly string[],
  { store }: Pick<ProjectContext, 'store'>,
): Promise<PictureFiles> {
  const found = 'upload' in place ? await uploaded(place.upload, store) : await atPath(place.path)
  const numbers = new Map(classes.map((name, i) => [name, i]))
  const files = found.files
    .filter(({ name }) => PICTURE.test(name) && !/(^|\/)(\.|__MACOSX\/)/.test(name))
    .map(file => {
      const folder = file.name
        .split('/')
        .slice(0, -1)
        .findLast(part => numbers.has(part))
      return folder === undefined ? file : { ...file, label: numbers.get(folder)! }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  if (files.length) return { files, close: found.close }
  found.close()
  throw new StudioError('there are no pictures (.png, .jpg, …) in it', 422)
}

async function uploaded(upload: string, store: ProjectContext['store']): Promise<PictureFiles> {
  const folder = `uploads/${upload}/files`
  const files = await listAll(store, folder)
  const zip = files.length === 1 && /\.zip$/i.test(files[0].path) ? files[0].path : undefined
  if (zip !== undefined) return inZip(await store.open(`${folder}/${zip}`))
  return {
    files: files.map(({ path }) => ({
      name: path,
      read: async () => (await store.read(`${folder}/${path}`)) ?? new Uint8Array(0),
    })),
    close() {},
  }
}

async function atPath(path: string): Promise<PictureFiles> {
  const { lstat, readdir, readFile } = await importNode('node:fs/promises')
  if ((await lstat(path)).isFile() && /\.zip$/i.test(path)) return inZip(await fileSource(path))
  const names: string[] = []
  const walk = async (below: string): Promise<void> => {
    for (const entry of await readdir(below ? `${path}/${below}` : path, { withFileTypes: true })) {
      const name = below ? `${below}/${entry.name}` : entry.name
      // links are not followed: they may lead anywhere
      if (entry.isDirectory()) await walk(name)
      else if (entry.isFile()) names.push(name)
      if (names.length > MOST_FILES) throw new StudioError(`'${path}' holds more than ${MOST_FILES} files`, 422)
    }
  }
  await walk('')
  return {
    files: names.map(name => ({ name, read: async () => new Uint8Array(await readFile(`${path}/${name}`)) })),
    close() {},
  }
}

async function inZip(source: ByteSource): Promise<PictureFiles> {
  try {
    const { unpack } = await importDeflate()
    const read = async (entry: ZipEntry): Promise<Uint8Array> => {
      const { name, method, size, crc, encrypted } = entry
      if (encrypted || (method !== 0 && method !== 8) || size > MOST_FILE)
        throw new StudioError(
          `'${name}' in the zip cannot be read: it is encrypted, packed otherwise, or too large`,
          422,
        )
      const packed = zipPacked(source, entry)
      const bytes = method === 8 ? unpack(packed, size, 'raw') : packed
      if (crc32(bytes) !== crc) throw new StudioError(`'${name}' in the zip is damaged: its checksum is another`, 422)
      return bytes
    }
    const files = zipEntries(source)
      .filter(({ name, link }) => !link && !name.endsWith('/'))
      .map(entry => ({ name: entry.name, read: () => read(entry) }))
    return { files, close: () => source.close() }
  } catch (error) {
    source.close()
    throw error
  }
}

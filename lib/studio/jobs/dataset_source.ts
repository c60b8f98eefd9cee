import { readLabels } from '../../data/labels.js'
import { readFile } from '../../system/read_file.js'
import type { IdxSource } from '../../tools/dataset/arrays.js'
import type { DatasetItem } from '../../tools/dataset/items.js'
import type { DatasetSource as Pictures } from '../../tools/dataset/sources.js'
import { type DatasetSource, type Place, StudioError } from '../api/index.js'
import type { ProjectContext } from '../core/job_context.js'
import { listAll, readText } from '../core/store.js'

/** Where the files of a place lie: a folder of the project, or a path of this machine. */
type Where = { readonly folder: string } | { readonly path: string }

export const whereOf = (place: Place): Where =>
  'upload' in place ? { folder: `uploads/${place.upload}/files` } : { path: place.path }

/**
 * What `makeDataset` takes of a form's source, and the names of its classes where a file says them. Not of ready-made LMDBs:
 * these are no pictures.
 */
export async function picturesOf(
  source: Exclude<DatasetSource, { from: 'lmdb' }>,
  context: ProjectContext,
): Promise<{ source: Pictures; classes?: string[] }> {
  const where = whereOf(source.place)
  switch (source.from) {
    case 'folder':
      return { source: await folderOf(where, context) }
    case 'zip':
      return { source: { zip: await zipOf(where, context) } }
    case 'idx':
      return { source: await idxOf(where, context) }
    case 'lists': {
      const root = rootOf(where, context)
      if (root === undefined) throw new StudioError('lists of paths need a server: here, take a folder or a zip', 422)
      const file = (name: string) => `${root}/${name}`
      const { train, val, test, labels } = source
      return {
        source: {
          list: file(train),
          root,
          ...(val === undefined ? {} : { valList: file(val) }),
          ...(test === undefined ? {} : { testList: file(test) }),
        },
        ...(labels === undefined ? {} : { classes: await labelNames(source.place, labels, context) }),
      }
    }
  }
}

/** The folder in the file system; undefined where there is none. */
function rootOf(where: Where, { store }: ProjectContext): string | undefined {
  return 'path' in where ? where.path : store.location(where.folder)
}

/** Names of classes, of a file beside the pictures. */
export async function labelNames(place: Place, name: string, context: ProjectContext): Promise<string[]> {
  const where = whereOf(place)
  if ('path' in where) {
    const bytes = await readFile(`${where.path}/${name}`, { maxFile: MAX_LABELS })
    return readLabels(new TextDecoder().decode(bytes), name)
  }
  const text = await readText(context.store, `${where.folder}/${name}`)
  if (text === undefined) throw new StudioError(`the upload has no file '${name}'`, 422)
  return readLabels(text, name)
}

/** Most bytes of a file of class names. */
const MAX_LABELS = 2 ** 26

async function folderOf(where: Where, context: ProjectContext): Promise<Pictures> {
  if ('path' in where) return { folder: where.path }
  const { store } = context
  const files = await listAll(store, where.folder)
  // what was dropped may be one folder that holds the classes
  const tops = new Set(files.map(({ path }) => path.split('/')[0]))
  const deep = files.every(({ path }) => path.split('/').length > 2)
  const folder = tops.size === 1 && deep ? `${where.folder}/${[...tops][0]}` : where.folder
  const location = store.location(folder)
  if (location !== undefined) return { folder: location }
  const inside = folder === where.folder ? files : await listAll(store, folder)
  return inside.map(({ path }): DatasetItem => {
    const read = async () => (await store.read(`${folder}/${path}`)) ?? new Uint8Array(0)
    return { name: path, label: path.split('/').slice(0, -1).join('/'), read }
  })
}

async function zipOf(where: Where, { store }: ProjectContext) {
  if ('path' in where) return where.path
  const zips = (await listAll(store, where.folder)).filter(({ path }) => /\.zip$/i.test(path))
  if (zips.length !== 1) throw new StudioError(`the upload holds ${zips.length} zip files: one is wanted`, 422)
  return store.open(`${where.folder}/${zips[0].path}`)
}

async function idxOf(where: Where, { store }: ProjectContext): Promise<Pictures> {
  // a folder of the file system: makeDataset knows MNIST's names
  if ('path' in where) return where.path
  const files = await listAll(store, where.folder)
  const find = (set: string, what: string) =>
    files.find(({ path }) => new RegExp(`(^|/)${set}[-_.]${what}[-.]idx\\d[-.]ubyte(\\.gz)?$`, 'i').test(path))?.path
  const bytes = async (path: string) => (await store.read(`${where.folder}/${path}`))!
  const [images, labels] = [find('train', 'images'), find('train', 'labels')]
  if (!images || !labels)
    throw new StudioError(
      'the upload has no files train-images-idx3-ubyte and train-labels-idx1-ubyte (each may end in .gz)',
      422,
    )
  const source: IdxSource = { images: await bytes(images), labels: await bytes(labels) }
  const [testImages, testLabels] = [find('(t10k|test)', 'images'), find('(t10k|test)', 'labels')]
  if (!testImages || !testLabels) return source
  return { ...source, testImages: await bytes(testImages), testLabels: await bytes(testLabels) }
}

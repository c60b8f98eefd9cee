import { bytesSource } from '../../data/byte_source.js'
import { crc32 } from '../../data/crc32.js'
import { importDeflate } from '../../data/inflate.js'
import { type ZipEntry, zipEntries, zipPacked } from '../../data/zip.js'
import { macrotask, mustYield } from '../../system/macrotask.js'
import { type JobId, StudioError } from '../api/index.js'
import { isJobFile, isMeta, isState } from './checks.js'
import { folderOf, isJobId, JOBS, pathsOf } from './job_files.js'
import { checkPath, listAll, readJson, type Store, writeJson } from './store.js'
import { ZipWriter } from './zip_writer.js'

/** What says that a zip is a project's. */
const MARK = 'project.json'
/** Of the machine that the job ran on: nobody else's business. */
const OWN = /^(control\.jsonl|removed\.json|process\.json|output\.txt)$/
const PIECE = 2 ** 20
/** Files that are packed are unpacked as a whole. */
const MOST_PACKED = 2 ** 30

const turn = async (): Promise<void> => {
  if (mustYield()) await macrotask()
}

/** Write a zip of whole jobs to a path of the project. */
export async function writeProject(store: Store, ids: readonly JobId[], to: string): Promise<void> {
  const sink = await store.sink(to)
  try {
    const zip = new ZipWriter(sink)
    const mark = { format: 'ristretto project', version: 1, jobs: ids }
    await zip.add(MARK, bytesSource(new TextEncoder().encode(`${JSON.stringify(mark, undefined, 1)}\n`)), turn)
    for (const id of ids) {
      const files = await listAll(store, folderOf(id))
      if (!files.some(({ path }) => path === 'job.json')) throw new StudioError(`there is no job '${id}'`, 404)
      for (const { path } of files) {
        if (OWN.test(path)) continue
        const source = await store.open(`${folderOf(id)}/${path}`)
        try {
          await zip.add(`${folderOf(id)}/${path}`, source, turn)
        } finally {
          source.close()
        }
      }
    }
    zip.finish()
    await sink.finish()
  } catch (error) {
    sink.abort()
    throw error
  }
}

/**
 * Unpack the jobs of a project's zip: those that are whole, and not here yet. Nothing stays of a zip in which a name leads
 * out of a job's folder, or a file is damaged. What was going on there has stopped here.
 */
export async function unpackProject(store: Store, path: string): Promise<JobId[]> {
  const source = await store.open(path)
  const written: string[] = []
  try {
    const { unpack } = await importDeflate()
    const jobs = jobsIn(zipEntries(source))
    const fresh: JobId[] = []
    for (const [id, entries] of jobs) {
      if ((await store.size(pathsOf(id).job)) !== undefined) continue
      if (!entries.has('job.json')) throw new StudioError(`the job '${id}' in the zip has no job.json`, 422)
      fresh.push(id)
    }
    for (const id of fresh) {
      written.push(folderOf(id))
      // a folder without job.json is no job: it comes last
      const entries = [...jobs.get(id)!].sort(([a], [b]) => Number(a === 'job.json') - Number(b === 'job.json'))
      for (const [name, entry] of entries) if (!OWN.test(name)) await unpackFile(store, source, entry, unpack)
      await settle(store, id)
    }
    return fresh
  } catch (error) {
    for (const folder of written) await store.remove(folder)
    throw error
  } finally {
    source.close()
  }
}

/** The files of each job, by their paths in its folder. */
function jobsIn(entries: readonly ZipEntry[]): Map<JobId, Map<string, ZipEntry>> {
  const jobs = new Map<JobId, Map<string, ZipEntry>>()
  let marked = false
  for (const entry of entries) {
    const { name, encrypted, link, method } = entry
    if (name.endsWith('/')) continue
    if (name === MARK) {
      marked = true
      continue
    }
    checkPath(name)
    const [top, id, ...rest] = name.split('/')
    if (top !== JOBS || !isJobId(id) || !rest.length)
      throw new StudioError(`'${name}' in the zip belongs to no job: it is no project of Studio`, 422)
    if (encrypted || link || (method !== 0 && method !== 8))
      throw new StudioError(`'${name}' in the zip is encrypted, a link, or packed in an unknown way`, 422)
    const files = jobs.get(id) ?? new Map<string, ZipEntry>()
    if (files.has(rest.join('/'))) throw new StudioError(`'${name}' is in the zip twice`, 422)
    files.set(rest.join('/'), entry)
    jobs.set(id, files)
  }
  if (!marked) throw new StudioError(`the zip has no ${MARK}: it is no project of Studio`, 422)
  return jobs
}

async function unpackFile(
  store: Store,
  source: Awaited<ReturnType<Store['open']>>,
  entry: ZipEntry,
  unpack: (packed: Uint8Array, size: number, format: 'raw') => Uint8Array,
): Promise<void> {
  const { name, method, size, crc } = entry
  const damaged = () => new StudioError(`'${name}' in the zip is damaged: its checksum is another`, 422)
  const sink = await store.sink(name)
  try {
    let sum = 0
    if (method === 8) {
      if (size > MOST_PACKED) throw new StudioError(`'${name}' in the zip would unpack to ${size} bytes`, 422)
      const bytes = unpack(zipPacked(source, entry), size, 'raw')
      sum = crc32(bytes)
      sink.write(0, bytes)
    } else {
      if (entry.packedSize !== size) throw damaged()
      for (let from = 0; from < size; from += PIECE) {
        const piece = zipPacked(source, { ...entry, packedSize: Math.min(PIECE, size - from) }, from)
        sum = crc32(piece, sum)
        sink.write(from, piece)
        await turn()
      }
    }
    if (sum !== crc) throw damaged()
    await sink.finish()
  } catch (error) {
    sink.abort()
    throw error
  }
}

/** Texts that say what they must, and no state of another machine. */
async function settle(store: Store, id: JobId): Promise<void> {
  const paths = pathsOf(id)
  const [job, meta, state] = await Promise.all([paths.job, paths.meta, paths.state].map(path => readJson(store, path)))
  const none = (name: string) => new StudioError(`the ${name} of '${id}' in the zip is none`, 422)
  if (!isJobFile(job) || job.id !== id) throw none('job.json')
  if (meta !== undefined && !isMeta(meta)) throw none('meta.json')
  if (state !== undefined && !isState(state)) throw none('state.json')
  if (state && /^(queued|running|interrupted)$/.test(state.state))
    await writeJson(store, paths.state, { ...state, state: 'stopped' })
}

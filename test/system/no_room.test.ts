import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, it, vi } from 'vitest'
import { LmdbWriter } from '../../lib/data/lmdb_writer.js'
import { createSolver, Net, parseNet, parseSolver, RistrettoError } from '../../lib/index.js'
import { drawNetToFile } from '../../lib/pycaffe/index.js'

/** What fails, with which code: the file system as it is when a disk is full or dies. */
const fault = vi.hoisted(() => ({ call: '', code: '' }))

vi.mock('../../lib/system/nodejs.js', async original => {
  const real = await original<typeof import('../../lib/system/nodejs.js')>()
  const failing = (call: string) => (given: readonly unknown[]) => {
    // what is opened to be read is no matter here
    if (fault.call === call && !(call === 'open' && given[1] !== 'wx'))
      throw Object.assign(new Error(`${fault.code}: the disk says no, ${call}`), { code: fault.code })
  }
  /** The same object, in which the calls that fault names throw before they do anything. */
  const spoiled = <T extends object>(object: T, isAsync: boolean): T =>
    new Proxy(object, {
      get(target, name) {
        const value = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        const check = failing(String(name).replace('Sync', ''))
        if (!isAsync)
          return (...given: unknown[]) => {
            check(given)
            return value.apply(target, given)
          }
        return async (...given: unknown[]) => {
          check(given)
          const result = await value.apply(target, given)
          return name === 'open' ? spoiled(result, true) : result
        }
      },
    })
  return {
    ...real,
    importNode: async (name: 'node:fs') => {
      const found = await real.importNode(name)
      if (name === 'node:fs') return spoiled({ ...found }, false)
      return name === ('node:fs/promises' as never) ? spoiled({ ...found }, true) : found
    },
  }
})

const root = mkdtempSync(join(tmpdir(), 'ristretto-room-'))
afterAll(() => rmSync(root, { recursive: true }))
let folder = ''
let tests = 0
beforeEach(() => {
  fault.call = ''
  folder = join(root, String(++tests))
  mkdirSync(folder)
})

const net = () =>
  Net.create(
    parseNet(`input: "x" input_shape { dim: 1 dim: 2 }
      layer { name: "ip" type: "InnerProduct" bottom: "x" top: "l" inner_product_param { num_output: 1 } }`),
    { engine: 'js' },
  )
const snapshot = async (format: string) => {
  const solver = await createSolver(
    parseSolver(`base_lr: 0.1 lr_policy: "fixed" snapshot_prefix: "${join(folder, 'out')}" snapshot_format: ${format}
      net_param { layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 1 dim: 2 } } } }`),
    { engine: 'js' },
  )
  return () => solver.snapshot()
}

/** What writes, prepared, and the file that its error must name. */
const writers: Record<string, readonly [prepare: () => Promise<() => Promise<unknown>>, file: string]> = {
  'net.save': [
    async () =>
      (
        made => () =>
          made.save(join(folder, 'out'))
      )(await net()),
    'out',
  ],
  'net.save, HDF5': [
    async () =>
      (
        made => () =>
          made.save(join(folder, 'out.h5'), { format: 'hdf5' })
      )(await net()),
    'out.h5',
  ],
  snapshot: [() => snapshot('BINARYPROTO'), 'out_iter_0.'],
  'snapshot, HDF5': [() => snapshot('HDF5'), 'out_iter_0.'],
  HDF5Output: [
    async () => async () => {
      const made = await Net.create(
        parseNet(`input: "a" input_shape { dim: 1 } input: "b" input_shape { dim: 1 }
          layer { name: "o" type: "HDF5Output" bottom: "a" bottom: "b" hdf5_output_param { file_name: "${join(folder, 'out')}" } }`),
        { engine: 'js', outputs: true },
      )
      await made.forward({ a: [1], b: [2] })
    },
    'out',
  ],
  // in folders that it makes for it
  drawing: [async () => () => drawNetToFile(parseNet('name: "n"'), join(folder, 'a/b/out.svg')), 'a/b/out.svg'],
  LMDB: [
    async () => async () => {
      const writer = await LmdbWriter.create(join(folder, 'db'))
      try {
        writer.put('key', new Uint8Array(3 << 20))
        await writer.finish()
      } catch (error) {
        writer.abort()
        throw error
      }
    },
    'db/data.mdb',
  ],
}

const calls = ['open', 'writeFile', 'write', 'sync', 'fsync', 'close', 'rename']

it.each(Object.entries(writers))(
  '%s names the file for which there is no room, and leaves nothing',
  async (_, [prepare, file]) => {
    const run = await prepare()
    let failed = 0
    for (const code of ['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG', 'EROFS'])
      for (const call of calls) {
        Object.assign(fault, { call, code })
        const error = await run().then(
          () => undefined,
          (error: Error) => error,
        )
        fault.call = ''
        const left = readdirSync(folder, { recursive: true }).filter(name => name !== 'db')
        if (!error) {
          // the writer does without this call
          for (const name of left) rmSync(join(folder, String(name)), { recursive: true, force: true })
          continue
        }
        failed++
        expect(error, call).toBeInstanceOf(RistrettoError)
        expect(error.message, call).toContain(`'${join(folder, file)}`)
        expect(error.message, call).toContain(`${code}: `)
        if (call !== 'rename') expect(left, call).toEqual([])
        else expect(left.filter(name => String(name).includes('.tmp-'))).toEqual([])
        for (const name of left) rmSync(join(folder, String(name)))
      }
    expect(failed).toBeGreaterThanOrEqual(5 * 4)
  },
)

it('an HDF5Output whose write failed may try again', async () => {
  const made = await Net.create(
    parseNet(`input: "a" input_shape { dim: 1 } input: "b" input_shape { dim: 1 }
      layer { name: "o" type: "HDF5Output" bottom: "a" bottom: "b" hdf5_output_param { file_name: "${join(folder, 'out')}" } }`),
    { engine: 'js', outputs: true },
  )
  Object.assign(fault, { call: 'writeFile', code: 'ENOSPC' })
  await expect(made.forward({ a: [1], b: [2] })).rejects.toThrow('ENOSPC')
  fault.call = ''
  await made.forward({ a: [1], b: [2] })
  expect(readdirSync(folder)).toEqual(['out'])
})

it('a file that is there stays as it was', async () => {
  const made = await net()
  const file = join(folder, 'out')
  writeFileSync(file, 'old')
  for (const call of calls) {
    Object.assign(fault, { call, code: 'ENOSPC' })
    if (await made.save(file).catch(() => true)) expect(readFileSync(file, 'utf8')).toBe('old')
    else writeFileSync(file, 'old')
  }
})

it('nothing in lib writes files but what is tried here', () => {
  const lib = join(import.meta.dirname, '../../lib')
  const writing = (readdirSync(lib, { recursive: true }) as string[]).filter(
    path =>
      path.endsWith('.ts') &&
      !path.startsWith('generated') &&
      /\b(?:writeFile|writeSync|appendFile|createWriteStream|truncate|copyFile)(?:Sync)?\b[^{]*\} = await importNode|\.(?:writeFile|appendFile|truncate)\(|import \{[^}]*\b(?:writeFile|appendFile|createWriteStream|copyFile)(?:Sync)?\b[^}]*\} from 'node:fs/.test(
        readFileSync(join(lib, path), 'utf8').replace(/^ *\*.*$/gm, ''),
      ),
  )
  // data/hdf5.ts writes into the memory of the HDF5 library; Studio's processes write marks of a line beside the files of
  // jobs, and an exported site is written again by whoever saw it fail
  expect(writing.sort()).toEqual([
    'data/hdf5.ts',
    'data/sink.ts',
    'studio/node/export_site.ts',
    'studio/node/process_mark.ts',
    'system/write_file.ts',
  ])
})

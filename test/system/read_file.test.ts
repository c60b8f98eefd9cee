import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readIdx } from '../../lib/data/idx.js'
import { openLevelRecords } from '../../lib/data/leveldb.js'
import { LmdbReader } from '../../lib/data/lmdb.js'
import { RistrettoError } from '../../lib/errors.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { loadImage } from '../../lib/pycaffe/io/image.js'
import { loadMean } from '../../lib/pycaffe/io/protos.js'
import { createSolver } from '../../lib/solver/rules/index.js'
import { createFiles, type FileOptions } from '../../lib/system/files.js'
import { readFile } from '../../lib/system/read_file.js'
import { convertImageset } from '../../lib/tools/convert_imageset.js'

const folder = mkdtempSync(join(tmpdir(), 'ristretto-read-'))
afterAll(() => rmSync(folder, { recursive: true }))

const pipe = join(folder, 'pipe')
execFileSync('mkfifo', [pipe])
const link = join(folder, 'link')
symlinkSync('/dev/zero', link)
const sparse = join(folder, 'sparse')
const handle = openSync(sparse, 'w')
ftruncateSync(handle, 3 * 2 ** 30)
closeSync(handle)

/** Every way by which a path becomes bytes. */
const net = (text: string) => Net.create(parseNet(text), { engine: 'js' })
const readers: Record<string, (path: string) => Promise<unknown>> = {
  readFile,
  files: path => createFiles().read(path),
  'a net': path => Net.create(path, { engine: 'js' }),
  weights: path => Net.create(parseNet('input: "x" input_shape { dim: 1 }'), { engine: 'js', weights: path }),
  'a solver': path => createSolver(path),
  "a solver's net": path => createSolver({ net: path, base_lr: 1, lr_policy: 'fixed' }),
  'a list of images': path =>
    net(`layer { name: "d" type: "ImageData" top: "x" top: "y" image_data_param { source: "${path}" batch_size: 1 } }`),
  'a mean': path =>
    net(`layer { name: "d" type: "MemoryData" top: "x" top: "y" transform_param { mean_file: "${path}" }
      memory_data_param { batch_size: 1 channels: 1 height: 1 width: 1 } }`),
  'a list of HDF5 files': path =>
    net(`layer { name: "d" type: "HDF5Data" top: "x" hdf5_data_param { source: "${path}" batch_size: 1 } }`),
  'an HDF5 file': async path => {
    writeFileSync(join(folder, 'list.txt'), path)
    await net(
      `layer { name: "d" type: "HDF5Data" top: "x" hdf5_data_param { source: "${folder}/list.txt" batch_size: 1 } }`,
    )
  },
  'a window file': path =>
    net(`layer { name: "d" type: "WindowData" top: "x" top: "y" transform_param { crop_size: 2 }
      window_data_param { source: "${path}" batch_size: 1 fg_threshold: 0.5 } }`),
  'an image of a list': async path => {
    writeFileSync(join(folder, 'images.txt'), `${path} 0`)
    await net(
      `layer { name: "d" type: "ImageData" top: "x" top: "y" image_data_param { source: "${folder}/images.txt" batch_size: 1 } }`,
    )
  },
  'an infogain matrix': path =>
    net(`input: "x" input_shape { dim: 1 dim: 2 } input: "y" input_shape { dim: 1 }
      layer { name: "l" type: "InfogainLoss" bottom: "x" bottom: "y" top: "l" infogain_loss_param { source: "${path}" } }`),
  'an LMDB': path => LmdbReader.open(path),
  'a Data layer': path =>
    net(`layer { name: "d" type: "Data" top: "x" data_param { source: "${path}" batch_size: 1 backend: LMDB } }`),
  'an idx file': path => readIdx(path),
  loadMean: path => loadMean(path),
  loadImage: path => loadImage(path),
  convertImageset: path => convertImageset({ list: path, output: join(folder, 'db') }),
}

describe('only regular files are read', () => {
  for (const [name, read] of Object.entries(readers)) {
    it(`${name}: no devices, no pipes`, { tags: 'long' }, async () => {
      for (const [path, what] of [
        ['/dev/zero', 'a device'],
        [link, 'a device'],
        [pipe, 'a pipe'],
      ]) {
        const done = read(path)
        await expect(done).rejects.toThrow(RistrettoError)
        await expect(done).rejects.toThrow(`it is ${what}; only files are read`)
      }
    })
  }

  for (const [name, read] of Object.entries(readers).filter(([name]) => !/LMDB|Data layer/.test(name)))
    it(`${name}: no more than maxFile`, async () => {
      const done = read(sparse)
      await expect(done).rejects.toThrow(RistrettoError)
      await expect(done).rejects.toThrow(
        /has 3221225472 bytes, the limit is 2147483648; the option maxFile sets another/,
      )
    })

  it('what LevelDB would open is a file as well', async () => {
    const database = join(folder, 'leveldb')
    mkdirSync(database)
    execFileSync('mkfifo', [join(database, 'CURRENT')])
    const opened = openLevelRecords(database, async () => ({ ClassicLevel: undefined as never }))
    await expect(opened).rejects.toThrow(/CURRENT': it is a pipe/)
  })

  it.runIf(process.platform === 'linux')('what /proc makes up is empty', async () => {
    expect(await readFile('/proc/self/environ')).toHaveLength(0)
  })

  it('a pipe is read where streams are asked for, up to maxFile', { tags: 'long' }, async () => {
    const given = async (options: FileOptions) => {
      const writer = spawn('sh', ['-c', 'head -c 100000 /dev/zero > "$0"', pipe], { stdio: 'ignore' })
      const ended = once(writer, 'exit')
      return await createFiles({ streams: true, ...options })
        .read(pipe)
        .finally(() => ended)
    }
    expect(await given({})).toHaveLength(100000)
    await expect(given({ maxFile: 70000 })).rejects.toThrow(/has more bytes, the limit is 70000/)
    await expect(createFiles({ streams: true }).read('/dev/zero')).rejects.toThrow(/it is a device/)
  })

  it('maxFile bounds files, and follows maxMemory', async () => {
    const file = join(folder, 'small')
    writeFileSync(file, 'abc')
    expect(await createFiles({ maxFile: 3 }).read(file)).toHaveLength(3)
    await expect(createFiles({ maxFile: 2 }).read(file)).rejects.toThrow(/has 3 bytes, the limit is 2/)
    await expect(createFiles({ maxMemory: 2 ** 20 }).read(sparse)).rejects.toThrow(/the limit is 67108864/)
  })

  it('bounds what comes from a URL', { tags: 'long' }, async () => {
    const server = createServer((_request, response) => {
      const more = () => response.write(new Uint8Array(1 << 16), () => !response.destroyed && setImmediate(more))
      more()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`
    await expect(createFiles({ maxFile: 1 << 20 }).read(url)).rejects.toThrow(/has more bytes, the limit is 1048576/)
    await expect(createFiles({ files: false }).read(url)).rejects.toThrow(/the option files is false/)
    server.closeAllConnections()
    server.close()
  })
})

describe('the option files', () => {
  const list = new TextEncoder().encode('a.png 1')
  it('false: no path is read, whoever names it', async () => {
    for (const read of [
      `layer { name: "d" type: "Data" top: "x" data_param { source: "${folder}" batch_size: 1 backend: LMDB } }`,
      `layer { name: "d" type: "Data" top: "x" data_param { source: "${folder}" batch_size: 1 } }`,
      `layer { name: "d" type: "ImageData" top: "x" top: "y" image_data_param { source: "${folder}/images.txt" batch_size: 1 } }`,
    ])
      await expect(Net.create(parseNet(read), { engine: 'js', files: false })).rejects.toThrow(/option files/)
  })

  it('is asked for every file: a database and the images of a list', async () => {
    const asked: string[] = []
    const files = (path: string) => {
      asked.push(path)
      if (path === 'list') return list
      throw new RistrettoError(`no '${path}' here`)
    }
    const create = (text: string) => Net.create(parseNet(text), { engine: 'js', files })
    await expect(
      create(
        `layer { name: "d" type: "Data" top: "x" data_param { source: "${folder}" batch_size: 1 backend: LMDB } }`,
      ),
    ).rejects.toThrow(/no '.*' here/)
    await expect(
      create(
        'layer { name: "d" type: "ImageData" top: "x" top: "y" image_data_param { source: "list" batch_size: 1 } }',
      ),
    ).rejects.toThrow(/no 'a.png' here|image 0/)
    expect(asked).toEqual([`${folder}/data.mdb`, 'list', 'a.png'])
  })

  it('gives bytes or nothing', async () => {
    await expect(createFiles({ files: () => 'text' as never }).read('x')).rejects.toThrow(
      /the option files gave string for 'x'/,
    )
  })
})

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it, vi } from 'vitest'
import { encodeImage } from '../../lib/data/encode_image.js'
import { LmdbReader } from '../../lib/data/lmdb.js'
import { LmdbWriter } from '../../lib/data/lmdb_writer.js'
import { EngineError } from '../../lib/errors.js'
import type { NetParameter } from '../../lib/generated/caffe.js'
import { Net } from '../../lib/net.js'
import { readDatum, writeDatum } from '../../lib/proto/datum.js'
import { parseNet, parseSolver } from '../../lib/proto/text.js'
import { readNetParameter } from '../../lib/proto/wire.js'
import { readNpy } from '../../lib/pycaffe/io/npy.js'
import { expectClose, goldenPath } from '../golden.js'
import { cli, temporaryFolder } from './helpers.js'

// real, unless a test says otherwise
vi.mock('../../lib/data/encode_image.js', { spy: true })

const folder = temporaryFolder()
const io = goldenPath('io')
const images = join(io, 'images')
const js = ['--engine', 'js']

async function records(db: string): Promise<[key: string, value: Buffer][]> {
  const reader = await LmdbReader.open(db)
  const all = [...reader].map(
    ({ key, value }) => [new TextDecoder().decode(key), Buffer.from(value)] as [string, Buffer],
  )
  reader.close()
  return all
}

describe('convert-imageset', () => {
  it.each([
    ['images_raw_lmdb', []],
    ['images_grey_lmdb', ['-gray']],
    ['images_encoded_lmdb', ['--encoded']],
    ['images_encoded_lmdb', ['-encoded', '-encode_type=png', '-check_size']],
  ])("%s is that of Caffe's tool, byte for byte %j", async (golden, flags) => {
    const db = join(folder, `${golden}${flags.length}`)
    const { code, out, err } = await cli('convert_imageset', ...flags, `${images}/`, join(images, 'list_png.txt'), db)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(`${db}: 4 records`)
    expect(await records(db)).toEqual(await records(join(io, golden)))
  })

  it('resizes as ImageData does', async () => {
    const db = join(folder, 'resized')
    const list = join(images, 'list_png.txt')
    await cli('convert-imageset', images, list, db, '--resize_width', '37', '--resize_height', '31')
    const text = (layer: string) => parseNet(`layer { name: "d" top: "data" top: "label" ${layer} }`)
    const fromDb = await Net.create(text(`type: "Data" data_param { source: "${db}" batch_size: 4 backend: LMDB }`), {
      engine: 'js',
    })
    const fromFiles = await Net.create(
      text(
        `type: "ImageData" image_data_param { source: "${list}" batch_size: 4 root_folder: "${images}/" new_width: 37 new_height: 31 }`,
      ),
      { engine: 'js' },
    )
    expect(await fromDb.forward()).toEqual(await fromFiles.forward())
    expect(fromDb.blobs['data'].shape).toEqual([4, 3, 31, 37])
    fromDb.dispose()
    fromFiles.dispose()
  })

  it('encodes anew in the type and the channels asked for', async () => {
    const read = async (...flags: string[]) => {
      const db = join(folder, `encoded ${flags.join(' ')}`)
      expect((await cli('convert-imageset', images, join(images, 'list.txt'), db, '--encoded', ...flags)).code).toBe(0)
      const values = (await records(db)).map(([, value]) => readDatum(value))
      expect(values.every(datum => datum.encoded)).toBe(true)
      return Promise.all(values.map(async ({ data }) => ({ data, ...(await sharp(data).metadata()) })))
    }
    const half = ['--resize-height', '10', '--resize-width', '12']
    const png = await read('--encode-type', 'png', ...half)
    expect(png.map(({ format, channels, width, height }) => [format, channels, width, height])).toEqual(
      Array(6).fill(['png', 3, 12, 10]),
    )
    const jpg = await read('--encode-type', 'jpeg', '--gray', ...half)
    expect(jpg.map(({ format, channels }) => [format, channels])).toEqual(Array(6).fill(['jpeg', 1]))
    const grey = await read('--gray')
    expect(grey.map(({ channels }) => channels)).toEqual(Array(6).fill(1))
    // without an encode type each file keeps its own
    const own = await read(...half)
    expect(own.map(({ format }) => format)).toEqual(['png', 'jpeg', 'png', 'png', 'jpeg', 'png'])
    // the pixels that raw records hold are those in the PNG files
    const raw = join(folder, 'raw half')
    await cli('convert-imageset', images, join(images, 'list.txt'), raw, ...half)
    const datum = readDatum((await records(raw))[0][1])
    const rgb = await sharp(png[0].data).raw().toBuffer()
    expect([...datum.data.subarray(0, 120)]).toEqual(Array.from({ length: 120 }, (_, i) => rgb[3 * i + 2]))
  })

  it('shuffles by its seed, keeping keys in order and labels with their images', async () => {
    const shuffled = async (seed: string, name: string) => {
      const db = join(folder, name)
      await cli('convert-imageset', images, join(images, 'list_png.txt'), db, '--shuffle', '--seed', seed)
      return (await records(db)).map(([key, value]) => [key, readDatum(value).label] as const)
    }
    const once = await shuffled('3', 'once')
    expect(once).toEqual(await shuffled('3', 'again'))
    expect(once.map(([key]) => Number(key.slice(0, 8)))).toEqual([0, 1, 2, 3])
    const labels: Record<string, number> = { 'c0.png': 3, 'g2.png': 7, 'c3.png': 0, 'g5.png': 3 }
    expect(once.map(([, label]) => label)).toEqual(once.map(([key]) => labels[key.slice(9)]))
    const orders = await Promise.all(['1', '2', '4'].map(seed => shuffled(seed, `order ${seed}`)))
    expect(new Set(orders.map(String)).size).toBeGreaterThan(1)
  })

  it('leaves out what cannot be read, says so, and keeps the numbers of the others', async () => {
    const list = join(folder, 'holes.txt')
    writeFileSync(list, 'c0.png 3\nmissing.png 1\nlist.txt 2\ng2.png 7\n')
    const db = join(folder, 'holes')
    const { code, out, err } = await cli('convert-imageset', images, list, db, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({ db, records: 2, skipped: ['missing.png', 'list.txt'] })
    expect(err).toMatch(/left out .*holes\.txt:2: its file .*\nleft out .*holes\.txt:3: .*no PNG, JPEG/)
    expect((await records(db)).map(([key]) => key)).toEqual(['00000000_c0.png', '00000003_g2.png'])
  })

  it('takes names of classes and folders of classes, and says what their labels are', async () => {
    const root = join(folder, 'named')
    for (const [name, file] of [
      ['cat', 'c0.png'],
      ['cat', 'g2.png'],
      ['dog', 'c3.png'],
    ]) {
      mkdirSync(join(root, name), { recursive: true })
      cpSync(join(images, file), join(root, name, file))
    }
    writeFileSync(join(root, 'dog', 'notes.txt'), 'x')
    const labels = async (db: string) =>
      (await records(db)).map(([key, value]) => [key.slice(9), readDatum(value).label])
    const expected = [
      ['cat/c0.png', 0],
      ['cat/g2.png', 0],
      ['dog/c3.png', 1],
    ]
    const db = join(folder, 'named_lmdb')
    const whole = await cli('convert-imageset', root, db)
    expect(whole).toMatchObject({ code: 0, err: expect.stringMatching(/^left out 'dog\/notes\.txt': its name .*\n$/) })
    expect(whole.out).toContain('labels.txt: 0 cat, 1 dog\n')
    expect(readFileSync(join(db, 'labels.txt'), 'utf8')).toBe('cat\ndog\n')
    expect(await labels(db)).toEqual(expected)
    const list = join(root, 'list.txt')
    writeFileSync(list, 'cat/c0.png cat\ncat/g2.png cat\ndog/c3.png dog\n')
    const listed = await cli('convert-imageset', root, list, db, '--overwrite', '--json')
    expect(JSON.parse(listed.out)).toEqual({ db, records: 3, skipped: [], classes: ['cat', 'dog'] })
    expect(await labels(db)).toEqual(expected)
    const known = join(root, 'labels.txt')
    writeFileSync(known, 'bird\ndog\ncat\n')
    expect((await cli('convert-imageset', root, list, db, '--overwrite', '--labels', known)).code).toBe(0)
    expect((await labels(db)).map(([, label]) => label)).toEqual([2, 2, 1])
    writeFileSync(list, 'cat/c0.png cat\ncat/g2.png 3\n')
    const mixed = await cli('convert-imageset', root, list, db, '--overwrite')
    expect(mixed).toMatchObject({
      code: 1,
      err: expect.stringMatching(/list\.txt:2: the label is a number, .*:1 is a name/),
    })
    writeFileSync(list, 'cat/c0.png 1\ncat/g2.png cat\n')
    const other = await cli('convert-imageset', root, list, db, '--overwrite')
    expect(other).toMatchObject({ code: 1, err: expect.stringMatching(/list\.txt:2: the label is no whole number/) })
    expect(readFileSync(join(db, 'labels.txt'), 'utf8')).toBe('bird\ndog\ncat\n')
  })

  it('a package that is not there is one line, not one for every image, and no database', async () => {
    const message = 'writing images needs the package sharp: npm install sharp'
    vi.mocked(encodeImage).mockImplementation(() => Promise.reject(new EngineError(message)))
    const db = join(folder, 'no sharp')
    const half = ['--encoded', '--resize-height', '10', '--resize-width', '12']
    const { code, err } = await cli('convert-imageset', images, join(images, 'list.txt'), db, ...half)
    vi.mocked(encodeImage).mockReset()
    expect({ code, err }).toEqual({ code: 1, err: `ristretto: ${message}\n` })
    expect(readdirSync(db)).toEqual([])
  })

  it('fails, and leaves nothing behind', async () => {
    const small = join(folder, 'mixed')
    mkdirSync(small)
    cpSync(join(images, 'c0.png'), join(small, 'a.png'))
    await sharp(join(images, 'c3.png')).resize(5, 5).toFile(join(small, 'b.png'))
    const list = join(small, 'list.txt')
    writeFileSync(list, 'a.png 0\nb.png 1\n')
    const db = join(folder, 'mixed_lmdb')
    const { code, err } = await cli('convert-imageset', small, list, db, '--check-size')
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(`${list}:2 is 3×5×5, ${list}:1 is 3×20×24`) })
    expect(readdirSync(db)).toEqual([])
    const loose = await cli('convert-imageset', small, list, db)
    expect(loose).toMatchObject({ code: 0, err: expect.stringContaining('images differ in size') })
    const again = await cli('convert-imageset', small, list, db)
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('exists already') })
    expect((await cli('convert-imageset', small, list, db, '--overwrite')).code).toBe(0)
    const half = await cli('convert-imageset', small, list, db, '--resize-width', '3')
    expect(half).toMatchObject({ code: 2, err: expect.stringContaining('go together') })
    const nothing = await cli('convert-imageset', join(small, 'no'), list, join(folder, 'none'))
    expect(nothing).toMatchObject({ code: 1, err: expect.stringContaining('none of the 2 images') })
    expect((await cli('convert-imageset', small, list, db, '--backend', 'leveldb')).code).toBe(2)
  })
})

describe('compute-image-mean', () => {
  it("writes Caffe's mean file, byte for byte, and prints the channels", async () => {
    const file = join(folder, 'mean.binaryproto')
    const { code, out } = await cli('compute_image_mean', '-backend', 'lmdb', join(io, 'images_raw_lmdb'), file)
    expect(code).toBe(0)
    expect(readFileSync(file).equals(readFileSync(join(io, 'images_mean.binaryproto')))).toBe(true)
    expect(out).toMatch(
      /Number of channels: 3\nmean_value channel \[0\]: 100\.922\nmean_value channel \[1\]: 91\.7068\n/,
    )
  })

  it('writes .npy and prints JSON', async () => {
    const file = join(folder, 'mean.npy')
    const { out } = await cli('compute-image-mean', join(io, 'mnist_200_lmdb'), file, '--json')
    const { records, shape, channels } = JSON.parse(out)
    expect({ records, shape }).toEqual({ records: 200, shape: [1, 28, 28] })
    const mean = readNpy(readFileSync(file))
    expect(mean.shape).toEqual([1, 28, 28])
    expect(channels[0]).toBeCloseTo([...mean.data].reduce((a, b) => a + b) / 784, 4)
  })

  it.each([
    ['raw', []],
    ['encoded', ['--encoded']],
  ])('%s images of two sizes: names both records, their sizes and the way out', async (kind, flags) => {
    const two = join(folder, `two_${kind}`)
    mkdirSync(two)
    cpSync(join(images, 'c0.png'), join(two, 'a.png'))
    await sharp(join(images, 'c3.png')).resize(5, 7).toFile(join(two, 'b.png'))
    writeFileSync(join(two, 'list.txt'), 'a.png 0\nb.png 1\n')
    const db = join(folder, `two_${kind}_lmdb`)
    expect((await cli('convert-imageset', two, join(two, 'list.txt'), db, ...flags)).code).toBe(0)
    const { code, err } = await cli('compute-image-mean', db)
    const sizes = 'record 1 is 3×7×5, record 0 is 3×20×24: '
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(`${db}: ${sizes}`) })
    expect(err).toMatch(/convert-imageset .*--resize-width and --resize-height\n$/)
  })

  it('names the record that cannot be decoded, or whose values do not fill its size', async () => {
    for (const [name, datum, message] of [
      ['torn', { data: new Uint8Array(9), encoded: true }, 'record 1: 9 bytes that are no PNG'],
      ['short', { channels: 1, height: 2, width: 2, data: new Uint8Array(3) }, 'record 1 is 1×2×2, but holds 3 values'],
    ] as const) {
      const db = join(folder, `${name}_lmdb`)
      const writer = await LmdbWriter.create(db)
      writer.put('first', writeDatum({ channels: 1, height: 2, width: 2, data: new Uint8Array(4) }))
      writer.put('second', writeDatum(datum))
      await writer.finish()
      expect(await cli('compute-image-mean', db)).toMatchObject({
        code: 1,
        err: expect.stringContaining(`${db}: ${message}`),
      })
    }
  })

  it('names a database that is not there', async () => {
    expect(await cli('compute-image-mean', join(folder, 'no'))).toMatchObject({
      code: 1,
      err: expect.stringMatching(/database not found/),
    })
  })
})

describe('upgrade-net and upgrade-solver', () => {
  const upgrade = (name: string) => goldenPath(`nets/upgrade/${name}.prototxt`)

  it.each(['v0', 'v0_data', 'v1', 'v1_shared', 'old_input', 'old_transform', 'old_batch_norm'])('%s', async name => {
    const file = join(folder, `${name}.prototxt`)
    const { code, out } = await cli('upgrade_net', upgrade(`${name}.in`), file)
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringContaining(`Wrote upgraded NetParameter text proto to ${file}\n`),
    })
    // old transform fields in layers of today's form are left alone, as by Caffe
    expect(out.includes('latest form')).toBe(name === 'old_transform')
    const expected = parseNet(readFileSync(upgrade(`${name}.out`), 'utf8'))
    expect(parseNet(readFileSync(file, 'utf8'))).toEqual(expected)
    expect(parseNet((await cli('upgrade-net', upgrade(`${name}.in`))).out)).toEqual(expected)
    expect((await cli('upgrade-net', file, join(folder, 'twice.prototxt'))).out).toContain(
      'is in the latest form already',
    )
  })

  it('binary models keep their weights', async () => {
    const file = join(folder, 'legacy.caffemodel')
    const old = goldenPath('nets/legacy_v1.caffemodel')
    expect((await cli('upgrade-net', old, file)).out).toContain('NetParameter binary proto')
    const before = readNetParameter(readFileSync(old))
    const after = readNetParameter(readFileSync(file))
    expect(after.layers).toBeUndefined()
    const blobs = (net: NetParameter) =>
      (net.layer ?? net.layers ?? []).flatMap(layer => (layer.blobs ?? []).map(blob => [...(blob.data ?? [])]))
    expect(blobs(after).length).toBeGreaterThan(0)
    expect(blobs(after)).toEqual(blobs(before))
    // what is up to date is written as it was
    const lenet = goldenPath('nets/lenet/lenet.caffemodel')
    await cli('upgrade-net', lenet, file)
    expect(readFileSync(file).equals(readFileSync(lenet))).toBe(true)
  })

  it('solvers', async () => {
    const file = join(folder, 'solver.prototxt')
    expect((await cli('upgrade-solver', upgrade('solver_old.in'), file)).code).toBe(0)
    expect(parseSolver(readFileSync(file, 'utf8'))).toEqual(
      parseSolver(readFileSync(upgrade('solver_old.out'), 'utf8')),
    )
  })

  it.each([
    [['upgrade-net', 'missing.prototxt'], "file not found: 'missing.prototxt'"],
    [['upgrade-net', goldenPath('nets/legacy_v1.caffemodel')], 'is a binary model: name a file'],
    [['upgrade-net', goldenPath('nets/lenet/lenet.caffemodel.h5'), 'x'], 'HDF5'],
    [['upgrade-solver', goldenPath('nets/legacy_v1.caffemodel')], 'no text'],
    [['upgrade-net', join(images, 'c0.png'), join(folder, 'x')], 'c0.png: byte'],
  ])('failures are code 1: %j', async (argv, message) => {
    expect(await cli(...argv)).toMatchObject({ code: 1, err: expect.stringContaining(message) })
    expect(existsSync(join(folder, 'x'))).toBe(false)
  })
})

describe('extract-features', () => {
  const weights = goldenPath('nets/lenet/lenet.caffemodel')
  const model = join(folder, 'features.prototxt')
  const lenet = readFileSync(goldenPath('nets/lenet/lenet.prototxt'), 'utf8')
  writeFileSync(
    model,
    `layer { name: "data" type: "Data" top: "data" top: "label" transform_param { scale: 0.00390625 }
      data_param { source: "${join(io, 'mnist_200_lmdb')}" batch_size: 5 backend: LMDB } }
     ${lenet.replace(/^layer { name: "(data|label)".*$/gm, '')}`,
  )

  it("makes the records of Caffe's tool", async () => {
    const db = join(folder, 'ip2')
    const { code, out } = await cli('extract_features', weights, model, 'ip2', db, '4', 'LMDB', 'CPU', ...js)
    expect(code).toBe(0)
    expect(out).toMatch(
      /Weights of .*\n(Copying source layer (conv1|conv2|ip1|ip2)\n){4}.*: 20 records of blob 'ip2', 10 each\n$/,
    )
    const ours = await records(db)
    const theirs = await records(join(io, 'features_lmdb'))
    expect(ours.map(([key]) => key)).toEqual(theirs.map(([key]) => key))
    ours.forEach(([key, value], i) => {
      const [got, expected] = [readDatum(value), readDatum(theirs[i][1])]
      expect({ ...got, float_data: undefined }).toEqual({ ...expected, float_data: undefined })
      expectClose(got.float_data!, expected.float_data!, 1e-4, 1e-4, key)
      expect(value.length).toBe(theirs[i][1].length)
      // tags and sizes, all but the values
      expect([...value.subarray(0, 7)]).toEqual([...theirs[i][1].subarray(0, 7)])
    })
  })

  it('several blobs in one run, into .npy too; single values count as one item', async () => {
    const [pool, label, accuracy] = ['pool.npy', 'label', 'accuracy.npy'].map(name => join(folder, name))
    const targets = [pool, label, accuracy].join()
    const { code, out } = await cli(
      'extract-features',
      weights,
      model,
      'pool2,label,accuracy',
      targets,
      '3',
      '--json',
      ...js,
    )
    expect(code).toBe(0)
    expect(JSON.parse(out).map(({ items, shape }: { items: number; shape: number[] }) => [items, shape])).toEqual([
      [15, [50, 4, 4]],
      [15, []],
      [3, []],
    ])
    expect(readNpy(readFileSync(pool)).shape).toEqual([15, 50, 4, 4])
    const net = await Net.create(model, { engine: 'js', weights })
    await net.forward()
    const { pool2 } = await net.forward({}, { blobs: ['pool2'] })
    net.dispose()
    expect(readNpy(readFileSync(pool)).data.slice(4000, 8000)).toEqual(pool2.data)
    const labels = (await records(label)).map(([, value]) => readDatum(value).float_data![0])
    expect(labels).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4, 3, 5, 3, 6, 1])
    expect(readNpy(readFileSync(accuracy)).shape).toEqual([3])
  })

  it.each([
    [['ip2', 'a,b', '1'], 2, '1 blobs (ip2) but 2 places'],
    [['ip2', 'a', '0'], 2, 'whole number from 1 on'],
    [['ip2', 'a', '1', 'leveldb'], 2, 'Only lmdb'],
    [['ip3', join(folder, 'unwritten'), '1'], 1, "has no blob 'ip3'; its blobs are data"],
  ])('%j', async (rest, expected, message) => {
    const { code, err } = await cli('extract-features', weights, model, ...rest, ...js)
    expect({ code, err }).toEqual({ code: expected, err: expect.stringContaining(message) })
    expect(existsSync(join(folder, 'unwritten'))).toBe(false)
  })
})

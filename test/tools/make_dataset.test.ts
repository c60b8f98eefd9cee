import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import sharp from 'sharp'
import { afterAll, describe, expect, it } from 'vitest'
import { importDeflate } from '../../lib/data/inflate.js'
import { LmdbReader } from '../../lib/data/lmdb.js'
import { writePng } from '../../lib/data/png.js'
import { readMeanImage } from '../../lib/data/transformer.js'
import { FormatError, RistrettoError } from '../../lib/errors.js'
import { Net } from '../../lib/net.js'
import { type ReadDatum, readDatum } from '../../lib/proto/datum.js'
import { parseNet } from '../../lib/proto/text.js'
import { computeImageMean } from '../../lib/tools/image_mean.js'
import { type DatasetReport, makeDataset } from '../../lib/tools/index.js'

const folder = await mkdtemp(join(tmpdir(), 'dataset-'))
afterAll(() => rm(folder, { recursive: true }))
const deflate = await importDeflate()

/** A PNG of one colour, B G R, or of one grey. */
const png = (width: number, height: number, ...colour: number[]): Uint8Array =>
  writePng(
    {
      channels: colour.length,
      height,
      width,
      data: Uint8Array.from(
        { length: colour.length * width * height },
        (_, i) => colour[Math.floor(i / width / height)],
      ),
    },
    deflate,
  )

function put(files: Record<string, Uint8Array | string>, root: string): string {
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), bytes)
  }
  return root
}

/** `count` pictures of each class: names 'class/0.png' …, values 10 · class + i. */
const pictures = (classes: Record<string, number>, size = 4): Record<string, Uint8Array> =>
  Object.fromEntries(
    Object.entries(classes).flatMap(([name, count], k) =>
      Array.from({ length: count }, (_, i) => [`${name}/${i}.png`, png(size, size, 10 * k + i)]),
    ),
  )

type Row = ReadDatum & { key: string }
async function rows(source: string | Uint8Array): Promise<Row[]> {
  const reader = await LmdbReader.open(source)
  const all = [...reader].map(({ key, value }) => ({ key: new TextDecoder().decode(key), ...readDatum(value) }))
  reader.close()
  return all
}

const setRows = (report: DatasetReport, set: string): Promise<Row[]> => rows(report.files![`${set}_db/data.mdb`])
const filesOf = async (report: DatasetReport): Promise<string[]> => {
  const names: string[] = []
  for (const set of ['train', 'val', 'test'])
    if (report.files![`${set}_db/data.mdb`]) names.push(...(await setRows(report, set)).map(({ key }) => key.slice(9)))
  return names.sort()
}
const text = (report: DatasetReport, file: string): string => new TextDecoder().decode(report.files![file])

describe('makeDataset of a folder', () => {
  const photos = put(pictures({ cat: 20, dog: 12, 'o w l 🦉': 8 }), join(folder, 'photos'))

  it('writes databases that a Data layer reads, the mean of train_db, labels and a summary', async () => {
    const output = join(folder, 'data')
    const report = await makeDataset(photos, { output, gray: true, test: 0.1 })
    expect(readdirSync(output).sort()).toEqual(
      ['labels.txt', 'mean.binaryproto', 'summary.json', 'test_db', 'train_db', 'val_db'].sort(),
    )
    // no two sets share a picture, each class gives its part
    expect(report.sets).toEqual({
      train: { records: 26, histogram: [13, 8, 5] },
      val: { records: 10, histogram: [5, 3, 2] },
      test: { records: 4, histogram: [2, 1, 1] },
    })
    const all = await Promise.all(['train_db', 'val_db', 'test_db'].map(set => rows(join(output, set))))
    expect(new Set(all.flat().map(({ key }) => key.slice(9))).size).toBe(40)
    for (const { key, label, data, channels, height, width } of all.flat()) {
      expect([channels, height, width]).toEqual([1, 4, 4])
      const [, name, i] = /^\d{8}_(.*)\/(\d+)\.png$/.exec(key)!
      expect(report.classes[label]).toBe(name)
      expect([...data]).toEqual(Array(16).fill(10 * label + Number(i)))
    }
    expect(all[0].map(({ key }) => Number(key.slice(0, 8)))).toEqual(Array.from({ length: 26 }, (_, i) => i))
    // not in the order of the classes
    expect(all[0].map(({ label }) => label)).not.toEqual(all[0].map(({ label }) => label).sort())
    const mean = await computeImageMean(join(output, 'train_db'))
    expect(report.mean).toEqual(mean.channels)
    const { readFile } = await import('node:fs/promises')
    const stored = readMeanImage(new Uint8Array(await readFile(join(output, 'mean.binaryproto'))), 'mean')
    expect(stored).toEqual({ shape: [1, 4, 4], data: mean.blob.data })
    expect(await readFile(join(output, 'labels.txt'), 'utf8')).toBe('cat\ndog\no w l 🦉\n')
    expect(JSON.parse(await readFile(join(output, 'summary.json'), 'utf8'))).toEqual(report)
    const net = await Net.create(
      parseNet(`layer { name: "d" type: "Data" top: "data" top: "label"
        transform_param { mean_file: "${output}/mean.binaryproto" }
        data_param { source: "${output}/val_db" batch_size: 10 backend: LMDB } }`),
      { engine: 'js' },
    )
    await net.forward()
    expect([...net.blobs['label'].dataArray].sort()).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 2, 2])
    net.dispose()
  })

  it('the same seed gives the same bytes, another another split; sizes of the sets stay', async () => {
    const make = (seed?: number) => makeDataset(photos, { seed })
    const first = await make()
    expect((await make(1)).files).toEqual(first.files)
    const other = await make(2)
    expect(other.files!['train_db/data.mdb']).not.toEqual(first.files!['train_db/data.mdb'])
    expect(other.sets).toEqual(first.sets)
    expect(await filesOf(other)).toEqual(await filesOf(first))
  })

  it('forces colours or grey, and stores files where asked for', async () => {
    const mixed = put(
      { 'a/1.png': png(5, 3, 10, 20, 30), 'a/2.png': png(5, 3, 77), 'b/1.png': png(5, 3, 1, 2, 3) },
      join(folder, 'mixed'),
    )
    const colour = await setRows(await makeDataset(mixed, { val: 0 }), 'train')
    const of = (all: Row[], name: string) => all.find(({ key }) => key.endsWith(name))!
    expect([...of(colour, 'a/1.png').data]).toEqual([
      ...Array(15).fill(10),
      ...Array(15).fill(20),
      ...Array(15).fill(30),
    ])
    expect([...of(colour, 'a/2.png').data]).toEqual(Array(45).fill(77))
    const grey = await setRows(await makeDataset(mixed, { val: 0, gray: true }), 'train')
    // .114 · 10 + .587 · 20 + .299 · 30
    expect([...of(grey, 'a/1.png').data]).toEqual(Array(15).fill(21))
    const report = await makeDataset(mixed, { val: 0, encode: 'png' })
    expect(report.encode).toBe('png')
    for (const { data, encoded } of await setRows(report, 'train')) {
      expect(encoded).toBe(true)
      expect(await sharp(data).metadata()).toMatchObject({ format: 'png', channels: 3, width: 5, height: 3 })
    }
    const jpg = await setRows(await makeDataset(mixed, { val: 0, encode: 'jpeg', gray: true }), 'train')
    expect(await sharp(jpg[0].data).metadata()).toMatchObject({ format: 'jpeg', channels: 1 })
  })

  it('a trained net sees a picture as the dataset has it, in every way to fit it', async () => {
    const image = {
      channels: 3,
      height: 9,
      width: 23,
      data: Uint8Array.from({ length: 621 }, (_, i) => (i * i * 37) & 255),
    }
    const root = put({ 'a/1.png': writePng(image, deflate), 'b/1.png': png(9, 23, 1, 2, 3) }, join(folder, 'fitted'))
    for (const resize of ['squash', 'crop', 'fill', 'half-crop'] as const)
      for (const gray of [false, true]) {
        const output = join(folder, `fitted ${resize}${gray ? ' grey' : ''}`)
        await makeDataset(root, { output, resize, gray, size: { width: 11, height: 8 }, val: 0 })
        const net = await Net.deploy(
          parseNet(`layer { name: "d" type: "Data" top: "data" top: "label"
            data_param { source: "${output}/train_db" batch_size: 1 backend: LMDB } }
            layer { name: "out" type: "Power" bottom: "data" top: "out" }`),
          { engine: 'js' },
        )
        const [seen] = await net.predict([join(root, 'a/1.png')])
        net.dispose()
        const [row] = (await rows(join(output, 'train_db'))).filter(({ label }) => label === 0)
        expect([...seen]).toEqual([...row.data])
      }
  })

  it('leaves out what is no picture or cannot be read, and says why', async () => {
    const header = (width: number, height: number) => {
      const bytes = png(1, 1, 9, 9, 9)
      new DataView(bytes.buffer).setUint32(16, width)
      new DataView(bytes.buffer).setUint32(20, height)
      return bytes
    }
    const root = put(
      {
        ...pictures({ cat: 3, dog: 3 }),
        'cat/.DS_Store': 'x',
        'cat/._0.png': 'x',
        'dog/Thumbs.db': 'x',
        'cat/notes.txt': 'text',
        'cat/text.png': 'text',
        'cat/cut.png': png(9, 9, 1, 2, 3).slice(0, 60),
        'dog/huge.png': header(100_000, 100_000),
        'stray.png': png(4, 4, 1),
        'dog/emoji 😀 name.png': png(4, 4, 5),
      },
      join(folder, 'litter'),
    )
    mkdirSync(join(root, 'empty'))
    symlinkSync(join(root, 'cat/0.png'), join(root, 'dog/link.png'))
    symlinkSync(root, join(root, 'cat/circle'))
    const told: string[] = []
    const report = await makeDataset(root, { gray: true, onSkip: file => told.push(file) })
    const reasons = Object.fromEntries(report.leftOut.map(({ file, reason }) => [file, reason]))
    expect(reasons).toEqual({
      'cat/.DS_Store': 'it is hidden',
      'cat/._0.png': 'it is hidden',
      'dog/Thumbs.db': 'it is hidden',
      'cat/notes.txt': expect.stringContaining('does not end as that of a picture'),
      'cat/text.png': expect.stringContaining('no PNG, JPEG'),
      'cat/cut.png': expect.stringContaining('cannot be decoded'),
      'dog/huge.png': expect.stringMatching(/100000×100000 pixels large, at most \d+/),
      'stray.png': expect.stringContaining('folder of a class'),
      'empty/': expect.stringContaining('holds no pictures'),
      'dog/link.png': expect.stringContaining('symbolic link'),
      'cat/circle': expect.stringContaining('symbolic link'),
    })
    expect(told.sort()).toEqual(Object.keys(reasons).sort())
    expect(report.classes).toEqual(['cat', 'dog'])
    expect(await filesOf(report)).toEqual(
      ['cat/0.png', 'cat/1.png', 'cat/2.png', 'dog/0.png', 'dog/1.png', 'dog/2.png', 'dog/emoji 😀 name.png'].sort(),
    )
    const followed = await makeDataset({ folder: root, followLinks: true }, { gray: true })
    expect(await filesOf(followed)).toContain('dog/link.png')
    expect(followed.leftOut).toContainEqual({ file: 'cat/circle', reason: expect.stringContaining('leads back') })
  })

  it('classes that are numbers count as numbers; a folder around them is passed by; train, val and test are sets', async () => {
    const numbers = put(pictures({ '10': 1, '9': 1, '0': 1 }), join(folder, 'numbers'))
    expect((await makeDataset(numbers, { val: 0 })).classes).toEqual(['0', '9', '10'])
    const wrapped = put(pictures({ 'all/set/a': 2, 'all/set/b': 2 }), join(folder, 'wrapped'))
    const report = await makeDataset(wrapped, { val: 0 })
    expect(report.classes).toEqual(['a', 'b'])
    expect(report.notes).toEqual(["the classes are the folders in 'all/set'"])
    const split = put(pictures({ 'Train/a': 4, 'Train/b': 4, 'test/a': 1, 'test/b': 2 }), join(folder, 'split'))
    const sets = await makeDataset(split)
    expect(sets.sets).toEqual({
      train: { records: 6, histogram: [3, 3] },
      val: { records: 2, histogram: [1, 1] },
      test: { records: 3, histogram: [1, 2] },
    })
    expect((await setRows(sets, 'test')).every(({ key }) => key.includes('test/'))).toBe(true)
  })

  it('a class of one picture trains with it; one picture in all is a dataset, with notes', async () => {
    const few = put(pictures({ many: 8, one: 1 }), join(folder, 'few'))
    const report = await makeDataset(few, { val: 0.25, test: 0.25 })
    expect(report.sets.train?.histogram[1]).toBe(1)
    expect(report.notes).toEqual(["val_db has no picture of 'one'", "test_db has no picture of 'one'"])
    const single = put(pictures({ only: 1 }), join(folder, 'single'))
    const one = await makeDataset(single)
    expect(one.sets).toEqual({ train: { records: 1, histogram: [1] } })
    expect(one.notes).toEqual([expect.stringContaining('one class')])
    expect(Object.keys(one.files!)).not.toContain('val_db/data.mdb')
  })
})

describe('threads', () => {
  it('one or several make the same bytes, of folders and of zips; what cannot be read is told all the same', async () => {
    const files = {
      ...pictures({ a: 70, b: 50 }, 6),
      'a/bad.png': 'text',
      'b/cut.png': png(9, 9, 1, 2, 3).slice(0, 60),
    }
    const root = put(files, join(folder, 'threads'))
    const make = (source: string, threads: number, options = {}) =>
      makeDataset(source, { size: 5, threads, ...options })
    const one = await make(root, 1)
    expect(one.leftOut.map(({ file }) => file).sort()).toEqual(['a/bad.png', 'b/cut.png'])
    expect((await make(root, 3)).files).toEqual(one.files)
    const zip = join(folder, 'threads.zip')
    const bytes = Object.fromEntries(
      Object.entries(files).map(([name, file]) => [
        name,
        typeof file === 'string' ? new TextEncoder().encode(file) : file,
      ]),
    )
    writeFileSync(zip, zipSync(bytes))
    expect((await make(zip, 2)).files).toEqual(one.files)
    const jpg = await make(root, 1, { encode: 'jpg' })
    expect((await make(root, 2, { encode: 'jpg' })).files).toEqual(jpg.files)
  })
})

describe('makeDataset refuses, and leaves nothing behind', () => {
  const refused = async (name: string, files: Record<string, Uint8Array | string>, error: RegExp, options = {}) => {
    const root = put(files, join(folder, name, 'in'))
    const output = join(folder, name, 'data')
    const run = makeDataset(root, { output, ...options })
    await expect(run).rejects.toThrow(error)
    await expect(run).rejects.toThrow(RistrettoError)
    expect(readdirSync(join(folder, name))).toEqual(['in'])
  }

  it.each<[string, Record<string, Uint8Array | string>, RegExp, object?]>([
    [
      'a class without a readable picture',
      { ...pictures({ a: 2 }), 'b b/x.png': 'text' },
      /class 'b b'.*'b b\/x\.png': .*no PNG/,
    ],
    ['classes that differ in case', pictures({ Cat: 1, cat: 1 }), /'Cat' and 'cat' have the same name/],
    ['classes that differ in accents', pictures({ 'caf\u00e9': 1, 'cafe\u0301': 1 }), /have the same name/],
    [
      'pictures of several sizes',
      { ...pictures({ a: 1 }), 'b/0.png': png(3, 2, 1) },
      /3×2 pixels .* 4×4|4×4 pixels .* 3×2/,
    ],
    ['no folders', { '1.png': png(4, 4, 1) }, /no folders of classes/],
    [
      'no pictures',
      { 'a/notes.txt': 'x', 'a/x.doc': 'x' },
      /no pictures that are read: 'a\/notes.txt' \(and 1 more\): its name/,
    ],
    ['nothing at all', { 'in.txt': 'x' }, /holds no pictures/],
    ['a class that was not given', pictures({ a: 1, c: 1 }), /'c' is none of the 2 classes/, { classes: ['a', 'b'] }],
    ['no part to train on', pictures({ a: 1 }), /leave nothing to train on/, { val: 0.5, test: 0.5 }],
    ['a part that is none', pictures({ a: 1 }), /val is 25/, { val: 25 }],
    ['a size that is none', pictures({ a: 1 }), /size is 0×5/, { size: { width: 0, height: 5 } }],
    ['an unknown way to resize', pictures({ a: 1 }), /one of squash, crop, fill, half-crop/, { resize: 'stretch' }],
  ])('%s', (name, files, error, options) => refused(name, files, error, options))

  it('a full disk', async () => {
    const root = put(pictures({ a: 3, b: 3 }), join(folder, 'full', 'in'))
    const { fileSink } = await import('../../lib/data/sink.js')
    const output = join(folder, 'full', 'out')
    mkdirSync(output)
    const target = {
      async sink(path: string) {
        const sink = await fileSink(join(output, path.replace('/', '_')))
        if (path !== 'mean.binaryproto') return sink
        const write = () => {
          throw new RistrettoError('cannot write it: ENOSPC')
        }
        return { ...sink, write }
      },
      abort: () => rm(output, { recursive: true }),
    }
    await expect(makeDataset(root, { output: target })).rejects.toThrow('ENOSPC')
    expect(existsSync(output)).toBe(false)
  })

  it('whoever stops it', async () => {
    const root = put(pictures({ a: 5, b: 5 }), join(folder, 'stopped', 'in'))
    const stop = new AbortController()
    const onProgress = (done: number) => done === 4 && stop.abort()
    const run = makeDataset(root, { output: join(folder, 'stopped', 'data'), signal: stop.signal, onProgress })
    await expect(run).rejects.toThrow(/abort/)
    expect(readdirSync(join(folder, 'stopped'))).toEqual(['in'])
  })

  it('a dataset that is there, unless it may be replaced; other files stay; what a killed run left goes', async () => {
    const root = put(pictures({ a: 8, b: 8 }), join(folder, 'again', 'in'))
    const output = join(folder, 'again', 'data')
    // no process has such a number
    put({ 'train_db/data.mdb': 'half' }, join(folder, 'again', 'data.tmp-99999999-abc-1'))
    await makeDataset(root, { output })
    expect(readdirSync(join(folder, 'again')).sort()).toEqual(['data', 'in'])
    put({ 'mine.txt': 'mine' }, output)
    await expect(makeDataset(root, { output })).rejects.toThrow(/holds .*'summary.json'.* already/)
    const report = await makeDataset(root, { output, overwrite: true, val: 0 })
    expect(readdirSync(output).sort()).toEqual([
      'labels.txt',
      'mean.binaryproto',
      'mine.txt',
      'summary.json',
      'train_db',
    ])
    expect((await rows(join(output, 'train_db'))).length).toBe(report.sets.train?.records)
    const file = put({ file: 'x' }, join(folder, 'again'))
    await expect(makeDataset(root, { output: join(file, 'file') })).rejects.toThrow(/it is a file, not a folder/)
  })
})

describe('makeDataset', () => {
  it('two runs into one empty folder leave the dataset of one, whole', async () => {
    const root = put(pictures({ a: 8, b: 8 }), join(folder, 'both', 'in'))
    const output = join(folder, 'both', 'data')
    mkdirSync(output)
    const parts = [0.25, 0.5]
    const runs = await Promise.allSettled(parts.map(val => makeDataset(root, { output, val, threads: 1 })))
    const [report] = runs.flatMap(run => (run.status === 'fulfilled' ? [run.value] : []))
    const [failure] = runs.flatMap(run => (run.status === 'rejected' ? [run.reason] : []))
    expect(failure).toBeInstanceOf(RistrettoError)
    for (const set of ['train', 'val'] as const)
      expect((await rows(join(output, `${set}_db`))).length).toBe(report.sets[set]?.records)
    expect(JSON.parse(readFileSync(join(output, 'summary.json'), 'utf8'))).toEqual(report)
    expect(readdirSync(output).filter(name => name.includes('tmp'))).toEqual([])
  })

  it('two runs that replace a dataset leave that of one, whole, whether or not it was there', async () => {
    const root = put(pictures({ a: 8, b: 8 }), join(folder, 'replaced', 'in'))
    const output = join(folder, 'replaced', 'data')
    for (let i = 0; i < 8; i++) {
      const sizes = [4, 6, 8].map(size =>
        makeDataset(root, { output, size, val: size / 16, overwrite: true, threads: 1 }),
      )
      const reports = await Promise.all(sizes)
      const summary = JSON.parse(readFileSync(join(output, 'summary.json'), 'utf8'))
      expect(reports).toContainEqual(summary)
      for (const set of ['train', 'val']) {
        const found = await rows(join(output, `${set}_db`))
        expect(found.map(({ height }) => height)).toEqual(Array(summary.sets[set].records).fill(summary.height))
      }
      expect(readMeanImage(readFileSync(join(output, 'mean.binaryproto')), 'mean').shape).toEqual([
        ...[summary.channels, summary.height, summary.width],
      ])
      expect(readdirSync(output).filter(name => /tmp|lock|old/.test(name))).toEqual([])
      expect(readdirSync(join(folder, 'replaced')).sort()).toEqual(['data', 'in'])
    }
  })

  it.each<[unknown, object | undefined, string]>([
    [null, undefined, 'the source is a path'],
    [undefined, undefined, 'the source is a path'],
    [7, undefined, 'the source is a path'],
    [{ list: [null] }, undefined, 'entry 0 of the list is not { path, label }'],
    [
      {
        list: [
          { path: 'a.png', label: 0 },
          { path: 5, label: 1 },
        ],
      },
      undefined,
      'entry 1 of the list',
    ],
    [{ images: [new Uint8Array(4)], labels: new Uint8Array(4) }, undefined, 'images is an idx file'],
    [[], { classes: ['a', 'b', 'a'] }, 'classes[2] is "a"'],
    [[], { classes: ['a', 'b\nc'] }, 'classes[1] is "b\\nc"'],
    [[], { classes: ['a', ' '] }, 'classes[1] is " "'],
    [[], { classes: ['a', 3] }, 'classes[1] is 3'],
    [{ data: new Uint8Array(2), shape: [2, 1, 1, 1], labels: [0, 1] }, { output: '' }, 'the output is an empty text'],
  ])('refuses %j with %j', async (source, options, said) => {
    const refused = makeDataset(source as never, options)
    await expect(refused).rejects.toThrow(RistrettoError)
    await expect(refused).rejects.toThrow(said)
  })
})

describe('makeDataset of other sources', () => {
  const zipped = (files: Record<string, Uint8Array>) => zipSync(files, { level: 6 })

  it('a zip is its folder', async () => {
    const files = { ...pictures({ a: 6, 'b 🐝': 6 }), 'a/big.png': png(4, 4, 3) }
    const zip = join(folder, 'photos.zip')
    writeFileSync(zip, zipped({ ...files, '__MACOSX/a/._0.png': new Uint8Array(3) }))
    const fromZip = await makeDataset(zip, { gray: true })
    const fromFolder = await makeDataset(put(files, join(folder, 'unzipped')), { gray: true })
    expect(fromZip.leftOut).toEqual([{ file: '__MACOSX/a/._0.png', reason: 'it is hidden' }])
    expect({ ...fromZip.files, 'summary.json': 0 }).toEqual({ ...fromFolder.files, 'summary.json': 0 })
    const bytes = await makeDataset({ zip: zipped(files) }, { gray: true })
    expect(bytes.files).toEqual(fromFolder.files)
  })

  it('of a hostile zip nothing is read that should not be', async () => {
    const good = pictures({ a: 2, b: 2 })
    const report = await makeDataset({
      zip: zipped({ ...good, '../out.png': png(4, 4, 1), '/root.png': png(4, 4, 1), 'C:\\a\\x.png': png(4, 4, 1) }),
    })
    expect(report.leftOut.map(({ file, reason }) => [file, reason])).toEqual(
      ['../out.png', '/root.png', 'C:/a/x.png'].map(file => [file, 'its name leads out of the zip']),
    )
    // flip a bit of the first picture's packed bytes, and of its size
    const deflated = zipped(good)
    const damaged = deflated.slice()
    damaged[30 + 'a/0.png'.length + 20] ^= 4
    const { leftOut } = await makeDataset({ zip: damaged })
    expect(leftOut).toEqual([{ file: 'a/0.png', reason: expect.stringMatching(/packed data|checksum/) }])
    const directory = deflated.length - 22 - 4 * (46 + 'a/0.png'.length)
    const shorter = deflated.slice()
    shorter[directory + 24] -= 1
    expect((await makeDataset({ zip: shorter })).leftOut).toEqual([
      { file: 'a/0.png', reason: expect.stringMatching(/hold more than \d+ bytes/) },
    ])
    // every entry is the same large one
    const bomb = deflated.slice()
    new DataView(bomb.buffer).setUint32(directory + 20, deflated.length, true)
    await expect(makeDataset({ zip: bomb })).rejects.toThrow(/its files overlap/)
    const large = deflated.slice()
    for (let i = 0; i < 4; i++) new DataView(large.buffer).setUint32(directory + i * 53 + 24, 2 ** 31, true)
    await expect(makeDataset({ zip: large })).rejects.toThrow(/would unpack to 8589934592/)
    const stored = zipSync(good, { level: 0 })
    await expect(makeDataset({ zip: stored.slice(0, -30) })).rejects.toThrow(/no zip, or its end is missing/)
    await expect(makeDataset({ zip: new Uint8Array(0) })).rejects.toThrow(FormatError)
  })

  it('lists hold names or numbers, separated by a space, a tab or commas', async () => {
    const root = put(pictures({ a: 2, 'b b': 2 }), join(folder, 'listed'))
    const list = (name: string, content: string) => join(put({ [name]: content }, root), name)
    const labels = async (source: string | object, options = {}) => {
      const report = await makeDataset(source as string, { val: 0, ...options })
      const all = await setRows(report, 'train')
      return [report.classes, Object.fromEntries(all.map(({ key, label }) => [key.slice(9), label]))]
    }
    const named = [['x', 'y'], { 'a/0.png': 1, 'a/1.png': 0, 'b b/0.png': 1 }]
    expect(await labels(list('s.txt', 'a/0.png y\na/1.png x\nb b/0.png y\n\n'))).toEqual(named)
    expect(await labels(list('t.txt', 'a/0.png\ty\na/1.png\tx\nb b/0.png\ty\n'))).toEqual(named)
    expect(await labels(list('c.csv', 'a/0.png,y\r\na/1.png,x\r\n"b b/0.png","y"\r\n'))).toEqual(named)
    const head = 'id,label,note,file\n1,y,"a, ""b""\nc",a/0.png\n2,x,,a/1.png\n3,y,,b b/0.png'
    expect(await labels(list('h.csv', head))).toEqual(named)
    expect(await labels(list('n.txt', 'a/0.png 2\na/1.png 0\n'))).toEqual([
      ['0', '1', '2'],
      { 'a/0.png': 2, 'a/1.png': 0 },
    ])
    const known = { classes: ['zero', 'y', 'x'] }
    expect(await labels(list('k.txt', 'a/0.png y\na/1.png 0\n'), known)).toEqual([
      known.classes,
      { 'a/0.png': 1, 'a/1.png': 0 },
    ])
    const entries = [
      { path: 'a/0.png', label: 'y' },
      { path: join(root, 'a/1.png'), label: 'x' },
    ]
    const sets = await makeDataset({ list: entries, root, valList: list('v.txt', 'b b/1.png x') })
    expect([sets.sets.train?.records, sets.sets.val?.records]).toEqual([2, 1])
  })

  it.each([
    ['a/0.png 1\na/1.png x\n', /l\.txt:2: the label is no whole number, that of .*l\.txt:1 is one/],
    ['a/0.png x\na/1.png 1\n', /l\.txt:2: the label is a number, that of .*l\.txt:1 is a name/],
    ['a/0.png 1.5\n', /l\.txt:1: the label is no whole number/],
    ['a/0.png -1\n', /l\.txt:1: the label is no class/],
    ['a/0.png 4000000000\n', /l\.txt:1: the label is no/],
    ['a/0.png\n', /l\.txt:1: the line is not a path, a space and a label/],
    ['a/0.png x\na/0.png y\n', /l\.txt:2: this picture has another label at .*l\.txt:1/],
    ['\n', /names no pictures/],
  ])('labels are read strictly: %j', async (content, error) => {
    const list = join(put({ 'l.txt': content }, join(folder, 'listed')), 'l.txt')
    await expect(makeDataset(list)).rejects.toThrow(error)
    await expect(makeDataset(list)).rejects.toThrow(FormatError)
  })

  it("MNIST's files, whole or zipped, are train and test", async () => {
    const idx = (axes: number[], values: number[]) =>
      Uint8Array.from([0, 0, 8, axes.length, ...axes.flatMap(n => [0, 0, 0, n]), ...values])
    const images = (n: number, from: number) =>
      idx(
        [n, 2, 3],
        Array.from({ length: 6 * n }, (_, i) => from + Math.floor(i / 6)),
      )
    const root = put(
      {
        'train-images-idx3-ubyte.gz': gzipSync(images(8, 0)),
        'train-labels-idx1-ubyte.gz': gzipSync(idx([8], [0, 1, 0, 1, 0, 1, 0, 1])),
        't10k-images-idx3-ubyte': images(2, 100),
        't10k-labels-idx1-ubyte': idx([2], [1, 0]),
      },
      join(folder, 'mnist'),
    )
    const report = await makeDataset(root)
    expect(report).toMatchObject({ classes: ['0', '1'], channels: 1, height: 2, width: 3 })
    expect(report.sets).toEqual({
      train: { records: 6, histogram: [3, 3] },
      val: { records: 2, histogram: [1, 1] },
      test: { records: 2, histogram: [1, 1] },
    })
    for (const { key, label, data } of await setRows(report, 'train')) {
      const i = Number(key.slice(9))
      expect([label, ...data]).toEqual([i % 2, ...Array(6).fill(i)])
    }
    const wrong = { images: images(3, 0), labels: idx([2], [0, 1]) }
    await expect(makeDataset(wrong)).rejects.toThrow(/3 pictures, .* 2 labels/)
  })

  it('arrays and items, with names or numbers', async () => {
    const data = Array.from({ length: 4 * 12 }, (_, i) => i)
    const arrays = await makeDataset({ data, shape: [4, 3, 2, 2], labels: ['b', 'a', 'b', 'a'] }, { val: 0 })
    const of = (all: Row[]) => Object.fromEntries(all.map(({ key, label, data }) => [key.slice(9), [label, ...data]]))
    expect(of(await setRows(arrays, 'train'))['2']).toEqual([1, ...data.slice(24, 36)])
    await expect(makeDataset({ data: [0.5], shape: [1, 1, 1], labels: [0] })).rejects.toThrow(/value 0 is 0\.5/)
    await expect(makeDataset({ data: [1, 2], shape: [1, 1, 1], labels: [0] })).rejects.toThrow(/2 values/)
    await expect(makeDataset({ data: [1], shape: [1, 1, 1], labels: [0.5] })).rejects.toThrow(/no whole number/)
    async function* items() {
      yield { name: 'x', label: 'n', bytes: png(2, 1, 1, 2, 3) }
      yield { label: 'm', image: { width: 2, height: 1, data: [9, 8, 7, 255, 6, 5, 4, 255] }, set: 'test' as const }
      yield { name: 'bad', label: 'm', read: () => Promise.reject(new Error('gone')) }
      yield { name: 'y', label: 'm', read: async () => png(2, 1, 4) }
    }
    const report = await makeDataset(items(), { val: 0 })
    expect(report.leftOut).toEqual([{ file: 'bad', reason: 'it cannot be read: gone' }])
    expect(of(await setRows(report, 'train'))).toEqual({ x: [1, 1, 1, 2, 2, 3, 3], y: [0, 4, 4, 4, 4, 4, 4] })
    expect(of(await setRows(report, 'test'))).toEqual({ '1': [0, 7, 4, 8, 5, 9, 6] })
    expect(text(report, 'labels.txt')).toBe('m\nn\n')
  })
})

/** What transform_param's messages of the forks, and augment_param, do in Data and ImageData layers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { randomSize, turnPicture } from '../../lib/data/augment.js'
import { augmentationOf } from '../../lib/data/augmentation.js'
import type { PlanarImage } from '../../lib/data/image.js'
import { importDeflate } from '../../lib/data/inflate.js'
import { LmdbWriter } from '../../lib/data/lmdb_writer.js'
import { writePng } from '../../lib/data/png.js'
import { NetError, RistrettoError } from '../../lib/errors.js'
import { Net } from '../../lib/net.js'
import { writeDatum } from '../../lib/proto/datum.js'
import { parseNet } from '../../lib/proto/text.js'
import { RandomStream } from '../../lib/rng.js'

const folder = mkdtempSync(join(tmpdir(), 'augment-'))
afterAll(() => rmSync(folder, { recursive: true }))
const deflate = await importDeflate()

const picture = (seed: number, height = 10, width = 12): PlanarImage => ({
  channels: 3,
  height,
  width,
  data: Uint8Array.from({ length: 3 * height * width }, (_, i) => (i * 37 + seed * 101) & 255),
})
const raw = join(folder, 'raw')
const encoded = join(folder, 'encoded')
const list = join(folder, 'list.txt')
for (const [db, isEncoded] of [
  [raw, false],
  [encoded, true],
] as const) {
  const writer = await LmdbWriter.create(db)
  for (let i = 0; i < 7; i++) {
    const image = picture(i)
    writer.put(
      `0${i}`,
      writeDatum(isEncoded ? { data: writePng(image, deflate), encoded: true, label: i } : { ...image, label: i }),
    )
  }
  await writer.finish()
}
for (let i = 0; i < 7; i++) writeFileSync(join(folder, `${i}.png`), writePng(picture(i), deflate))
writeFileSync(list, Array.from({ length: 7 }, (_, i) => `${i}.png ${i}\n`).join(''))

const sources = {
  raw: `type: "Data" data_param { source: "${raw}" batch_size: 4 backend: LMDB prefetch: 2 }`,
  encoded: `type: "Data" data_param { source: "${encoded}" batch_size: 4 backend: LMDB prefetch: 2 }`,
  files: `type: "ImageData" image_data_param { source: "${list}" root_folder: "${folder}/" batch_size: 4 } data_param { prefetch: 2 }`,
}
const create = (source: string, transform: string, phase: 'TRAIN' | 'TEST' = 'TRAIN') =>
  Net.create(parseNet(`layer { name: "d" top: "data" top: "label" ${source} transform_param { ${transform} } }`), {
    engine: 'js',
    seed: 5,
    phase,
  })
async function batches(source: string, transform: string, count = 3, phase: 'TRAIN' | 'TEST' = 'TRAIN') {
  const net = await create(source, transform, phase)
  const all: number[][] = []
  for (let i = 0; i < count; i++) {
    await net.forward()
    all.push([...net.blobs['data'].dataArray])
  }
  const { shape } = net.blobs['data']
  net.dispose()
  return { all, shape }
}

const everything = `crop_size: 8 mirror: true mean_value: 100 scale: 0.5
  augment_param { rotate: 20 aspect: 1.5 }
  distort_param { brightness_prob: 0.5 brightness_delta: 30 contrast_prob: 0.5 contrast_lower: 0.5 contrast_upper: 1.5
    saturation_prob: 0.5 saturation_lower: 0.5 saturation_upper: 1.5 hue_prob: 0.5 hue_delta: 18 random_order_prob: 0.5 }
  expand_param { prob: 0.5 max_expand_ratio: 2 }
  random_resize_param { min_size: 12 max_size: 16 }
  resize_param { height: 9 width: 11 interp_mode: LINEAR interp_mode: AREA }
  noise_param { saltpepper: true saltpepper_param { fraction: 0.1 } }`

describe('transform_param of Data and ImageData', () => {
  test('pixels, encoded records and files come out the same, of each seed and each time', async () => {
    const fromRaw = await batches(sources.raw, everything)
    expect(fromRaw.shape).toEqual([4, 3, 8, 8])
    expect(new Set(fromRaw.all.map(String)).size).toBe(3)
    expect((await batches(sources.encoded, everything)).all).toEqual(fromRaw.all)
    expect((await batches(sources.files, everything)).all).toEqual(fromRaw.all)
    // without a worker
    const inline = sources.raw.replace('prefetch: 2', 'prefetch: 0')
    expect((await batches(inline, everything)).all).toEqual(fromRaw.all)
  })

  test('a layer that goes on where another was goes on with the same pictures', async () => {
    const { all } = await batches(sources.raw, everything, 4)
    const before = await create(sources.raw, everything)
    await before.forward()
    await before.forward()
    const state = before.layers[0].saveState()
    before.dispose()
    const after = await create(sources.raw, everything)
    after.layers[0].restoreState(state ?? {})
    await after.forward()
    expect([...after.blobs['data'].dataArray]).toEqual(all[2])
    after.dispose()
  })

  test('crop and mirror draw the same numbers as without it', async () => {
    const plain = 'crop_size: 5 mirror: true'
    // one that changes nothing
    const idle = 'distort_param { brightness_prob: 0 } resize_param { height: 10 width: 12 }'
    expect((await batches(sources.raw, `${plain} ${idle}`)).all).toEqual((await batches(sources.raw, plain)).all)
  })

  test('resize_param sizes pictures; random parts fill the crop', async () => {
    expect((await batches(sources.files, 'resize_param { height: 5 width: 7 }', 1)).shape).toEqual([4, 3, 5, 7])
    const part = 'crop_size: 6 random_aspect_ratio_param { min_area_ratio: 0.3 aspect_ratio_change: 0.7 }'
    expect((await batches(sources.raw, part, 1)).shape).toEqual([4, 3, 6, 6])
  })

  test('augment_param is for TRAIN alone', async () => {
    const turn = 'augment_param { rotate: 40 }'
    const plain = await batches(sources.raw, '')
    expect((await batches(sources.raw, turn, 3, 'TEST')).all).toEqual(plain.all)
    expect((await batches(sources.raw, turn)).all).not.toEqual(plain.all)
  })

  test.each([
    ['random_aspect_ratio_param { }', /needs a crop_size/],
    ['crop_size: 4 random_aspect_ratio_param { aspect_ratio_change: 2 }', /aspect_ratio_change 2/],
    ['random_resize_param { min_size: 9 max_size: 8 }', /min_size 9 and max_size 8/],
    ['augment_param { rotate: -5 }', /rotate -5/],
    ['augment_param { aspect: 0.5 }', /aspect 0\.5/],
    ['augment_param { rotate: 9 pad_mode: CONSTANT pad_value: 1 pad_value: 2 }', /pad_value is given 2 times/],
    ['resize_param { height: 5 }', /height 5 and width 0/],
  ])('%s is refused', async (transform, error) => {
    const run = batches(sources.raw, transform, 1)
    await expect(run).rejects.toThrow(error)
    await expect(run).rejects.toThrow(RistrettoError)
  })

  test('records of numbers cannot be changed, and boxes are not turned', async () => {
    const db = join(folder, 'floats')
    const writer = await LmdbWriter.create(db)
    writer.put('0', writeDatum({ channels: 1, height: 1, width: 2, float_data: Float32Array.of(0.5, 1.5) }))
    await writer.finish()
    const source = `type: "Data" data_param { source: "${db}" batch_size: 1 backend: LMDB }`
    await expect(batches(source, 'resize_param { height: 2 width: 2 }')).rejects.toThrow(
      /done to pictures of bytes alone/,
    )
    const boxes = sources.raw.replace('"Data"', '"AnnotatedData"')
    await expect(batches(boxes, 'augment_param { rotate: 5 }')).rejects.toThrow(/augment_param/)
  })
})

describe('turnPicture', () => {
  const grey = (height: number, width: number, values: number[]): PlanarImage => ({
    channels: 1,
    height,
    width,
    data: Uint8Array.from(values),
  })
  const random = () => new RandomStream(1, 'turn')

  test('turns about the middle, by up to as many degrees either way', () => {
    // a bar through the middle of a black picture
    const size = 41
    const bar = grey(
      size,
      size,
      Array.from({ length: size * size }, (_, i) => (Math.abs(Math.floor(i / size) - 20) < 2 ? 255 : 0)),
    )
    const stream = random()
    const angles = Array.from({ length: 200 }, () => {
      const { data } = turnPicture(bar, { rotate: 30, pad_mode: 'CONSTANT' }, stream)
      expect(data[20 * size + 20]).toBe(255)
      // where the bar is in the column ten to the right of the middle
      let [sum, weight] = [0, 0]
      for (let y = 0; y < size; y++) {
        sum += data[y * size + 30] * (y - 20)
        weight += data[y * size + 30]
      }
      return (Math.atan(sum / weight / 10) * 180) / Math.PI
    })
    expect(Math.min(...angles)).toBeGreaterThan(-31)
    expect(Math.min(...angles)).toBeLessThan(-25)
    expect(Math.max(...angles)).toBeGreaterThan(25)
    expect(Math.max(...angles)).toBeLessThan(31)
  })

  test('stretches one side and shrinks the other', () => {
    const size = 41
    const disc = grey(
      size,
      size,
      Array.from({ length: size * size }, (_, i) =>
        Math.hypot((i % size) - 20, Math.floor(i / size) - 20) < 10 ? 255 : 0,
      ),
    )
    const stream = random()
    const ratios = Array.from({ length: 100 }, () => {
      const { data } = turnPicture(disc, { aspect: 1.5 }, stream)
      const lit = (step: number, start: number) =>
        Array.from({ length: size }, (_, i) => data[start + i * step]).filter(value => value > 127).length
      return lit(1, 20 * size) / lit(size, 20)
    })
    expect(Math.min(...ratios)).toBeGreaterThan(0.6)
    expect(Math.min(...ratios)).toBeLessThan(0.8)
    expect(Math.max(...ratios)).toBeGreaterThan(1.25)
    expect(Math.max(...ratios)).toBeLessThan(1.7)
  })

  test('beyond the edge stands what pad_mode says, and prob 0 changes nothing', () => {
    const white = grey(9, 9, Array(81).fill(200))
    const corners = (pad: object) => {
      const stream = random()
      return Array.from({ length: 20 }, () => [...turnPicture(white, { rotate: 45, ...pad }, stream).data]).flat()
    }
    expect(new Set(corners({}))).toEqual(new Set([200]))
    expect(new Set(corners({ pad_mode: 'REPEAT_NEAREST' }))).toEqual(new Set([200]))
    expect(corners({ pad_mode: 'CONSTANT', pad_value: [9] })).toContain(9)
    expect(corners({ pad_mode: 'CONSTANT' })).toContain(0)
    expect(turnPicture(white, { rotate: 45, prob: 0 }, random())).toBe(white)
  })

  test('random_resize_param draws the shorter side', () => {
    const sizes = new Set<string>()
    const stream = random()
    for (let i = 0; i < 60; i++) {
      const { height, width } = randomSize(picture(0), { min_size: 4, max_size: 6 }, stream)
      sizes.add(`${height}×${width}`)
    }
    expect([...sizes].sort()).toEqual(['4×4', '5×6', '6×7'])
    expect(() => randomSize(picture(0), { min_size: 5, max_size: 4 }, stream)).toThrow(NetError)
  })

  test('what is not written is nothing', () => {
    expect(augmentationOf({ crop_size: 3, mirror: true, resize_param: [] })).toBeUndefined()
    expect(augmentationOf({ resize_param: [{ height: 1 }] })).toEqual({ resize_param: [{ height: 1 }] })
  })
})

test.each([
  ['WindowData', 'window_data_param { source: "none.txt" batch_size: 1 }'],
  ['MemoryData', 'memory_data_param { batch_size: 1 channels: 1 height: 2 width: 2 }'],
  ['ImageSegData', 'image_data_param { source: "none.txt" batch_size: 1 }'],
  ['DenseImageData', 'dense_image_data_param { source: "none.txt" batch_size: 1 }'],
])('%s does not change pictures, and says so', async (type, param) => {
  for (const asked of [
    'distort_param { brightness_prob: 1 }',
    'resize_param { height: 2 width: 2 }',
    'noise_param { prob: 1 }',
  ]) {
    const text = `layer { name: "d" type: "${type}" top: "x" top: "y" ${param} transform_param { crop_size: 2 ${asked} } }`
    const made = Net.create(parseNet(text), { engine: 'js', files: () => new TextEncoder().encode('a.png b.png\n') })
    const field = asked.split(' ')[0]
    await expect(made).rejects.toBeInstanceOf(RistrettoError)
    await expect(made).rejects.toThrow(`layer 'd' (${type}): transform_param.${field} of `)
    await expect(made).rejects.toThrow('is not understood here')
  }
})

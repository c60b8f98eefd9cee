import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { LmdbWriter } from '../../lib/data/lmdb_writer.js'
import type { AnnotatedDatum } from '../../lib/generated/caffe.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { writeMessage } from '../../lib/proto/wire.js'

const folder = await mkdtemp(join(tmpdir(), 'annotated-'))
afterAll(() => rm(folder, { recursive: true }))

let databases = 0
async function database(records: readonly AnnotatedDatum[]): Promise<string> {
  const path = join(folder, `db${databases++}`)
  const writer = await LmdbWriter.create(path)
  records.forEach((record, i) => writer.put(String(i).padStart(8, '0'), writeMessage('AnnotatedDatum', record)))
  await writer.finish()
  return path
}

type Rectangle = [xmin: number, ymin: number, xmax: number, ymax: number]

/** A grey picture of 40, in which a rectangle of pixels is 200, and that rectangle as its box. */
function record(height: number, width: number, [x0, y0, x1, y1]: Rectangle, label = 3): AnnotatedDatum {
  const data = new Uint8Array(height * width).fill(40)
  for (let y = y0; y < y1; y++) data.fill(200, y * width + x0, y * width + x1)
  const bbox = { xmin: x0 / width, ymin: y0 / height, xmax: x1 / width, ymax: y1 / height }
  return {
    datum: { channels: 1, height, width, data },
    type: 'BBOX',
    annotation_group: [{ group_label: label, annotation: [{ bbox, instance_id: 0 }] }],
  }
}

const layer = (source: string, batch: number, transform = '', annotated = '', more = '') =>
  parseNet(`layer {
    name: "data" type: "AnnotatedData" top: "data" top: "label" ${more}
    data_param { source: "${source}" batch_size: ${batch} backend: LMDB } transform_param { ${transform} }
    annotated_data_param { ${annotated} } }`)

const create = (...args: Parameters<typeof layer>) =>
  Net.create(layer(...args), { engine: 'js', seed: 7, phase: 'TRAIN' })

const rowsOf = (label: { data: Float32Array; shape: number[] }) =>
  Array.from({ length: label.shape[2] }, (_, i) => [...label.data.subarray(8 * i, 8 * i + 8)])

describe('AnnotatedData', () => {
  test('pictures and rows of truths, from the first record again after the last', { tags: 'long' }, async () => {
    const two = record(4, 8, [2, 1, 4, 3], 1)
    two.annotation_group!.push({
      group_label: 5,
      annotation: [
        { instance_id: 0, bbox: { xmin: 0.5, ymin: 0, xmax: 0.75, ymax: 1, difficult: true } },
        { instance_id: 1, bbox: { xmin: 0.875, ymin: 0.25, xmax: 2, ymax: 0.5 } },
      ],
    })
    const source = await database([
      two,
      record(4, 8, [0, 0, 1, 1], 2),
      { ...record(4, 8, [0, 0, 1, 1]), annotation_group: [] },
    ])
    using net = await create(source, 2, 'mean_value: 40 scale: 0.5')
    const first = await net.forward()
    expect(first['data'].shape).toEqual([2, 1, 4, 8])
    expect([...first['data'].data.subarray(8, 16)]).toEqual([0, 0, 80, 80, 0, 0, 0, 0])
    expect(first['label'].shape).toEqual([1, 1, 4, 8])
    expect(rowsOf(first['label'])).toEqual([
      [0, 1, 0, 0.25, 0.25, 0.5, 0.75, 0],
      [0, 5, 0, 0.5, 0, 0.75, 1, 1],
      [0, 5, 1, 0.875, 0.25, 1, 0.5, 0],
      [1, 2, 0, 0, 0, 0.125, 0.25, 0],
    ])
    const second = await net.forward()
    expect(rowsOf(second['label']).map(row => row.slice(0, 2))).toEqual([
      [1, 1],
      [1, 5],
      [1, 5],
    ])
  })

  test('a batch without truths has one row of −1; records without a type have a label each', async () => {
    using none = await create(await database([{ ...record(2, 2, [0, 0, 1, 1]), annotation_group: [] }]), 1)
    expect(rowsOf((await none.forward())['label'])).toEqual([Array(8).fill(-1)])
    const plain = { datum: { channels: 1, height: 1, width: 1, data: Uint8Array.of(9), label: 6 } }
    using labels = await create(await database([plain]), 2)
    expect([...(await labels.forward())['label'].data]).toEqual([6, 6])
    using boxes = await create(await database([plain]), 2, '', 'anno_type: BBOX')
    expect((await boxes.forward())['label'].shape).toEqual([1, 1, 1, 8])
  })

  /** The rectangle that the pixels of an item show: those nearer to 200 than to 40. */
  function shown(data: Float32Array, height: number, width: number): Rectangle {
    let [x0, y0, x1, y1] = [width, height, 0, 0]
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        if (data[y * width + x] > 120) {
          x0 = Math.min(x0, x)
          y0 = Math.min(y0, y)
          x1 = Math.max(x1, x + 1)
          y1 = Math.max(y1, y + 1)
        }
    return [x0 / width, y0 / height, x1 / width, y1 / height]
  }

  const sampler = `batch_sampler { sampler { min_scale: 0.5 max_scale: 0.9 min_aspect_ratio: 0.5 max_aspect_ratio: 2 }
    sample_constraint { min_object_coverage: 0.6 } max_sample: 1 max_trials: 50 }`
  test.each([
    ['mirror', 'mirror: true', '', 60, 80],
    ['crop', 'crop_size: 48', '', 48, 48],
    [
      'expand',
      'mean_value: 40 expand_param { max_expand_ratio: 3 } resize_param { height: 120 width: 120 }',
      '',
      120,
      120,
    ],
    [
      'batch sampler',
      'resize_param { height: 90 width: 70 interp_mode: AREA interp_mode: CUBIC interp_mode: NEAREST interp_mode: LANCZOS4 }',
      sampler,
      90,
      70,
    ],
    ['pad', 'resize_param { resize_mode: FIT_LARGE_SIZE_AND_PAD height: 100 width: 60 pad_value: 40 }', '', 100, 60],
    [
      'all',
      'mirror: true mean_value: 40 crop_size: 100 expand_param { prob: 0.5 max_expand_ratio: 2 } resize_param { height: 120 width: 120 }',
      sampler,
      100,
      100,
    ],
  ])('boxes stay on what they frame: %s', { tags: 'long' }, async (_what, transform, annotated, height, width) => {
    const source = await database([record(60, 80, [20, 15, 50, 45]), record(60, 80, [5, 30, 35, 50])])
    using net = await create(source, 12, transform, annotated)
    const { data, label } = await net.forward()
    expect(data.shape).toEqual([12, 1, height, width])
    const rows = rowsOf(label)
    const boxes = new Set<string>()
    for (let i = 0; i < 12; i++) {
      const pixels = data.data.subarray(i * height * width, (i + 1) * height * width)
      // the mean is taken off at the end
      const box = shown(transform.includes('mean_value') ? pixels.map(x => x + 40) : pixels, height, width)
      const row = rows.find(row => row[0] === i)!.slice(3, 7)
      // to a pixel or two of the old or the new picture
      row.forEach((edge, k) => {
        expect(Math.abs(edge - box[k]), `item ${i}: ${row} is framed, ${box} is seen`).toBeLessThan(0.05)
      })
      boxes.add(row.join())
    }
    // a deterministic step gives one box a picture
    expect(boxes.size).toBeGreaterThanOrEqual(_what === 'pad' ? 2 : 4)
  })

  test('emit_constraint: whose middle a window shows, or enough of', async () => {
    // the crop from the centre (TEST) shows columns 4 … 11 of 16
    const source = await database([record(8, 16, [0, 0, 7, 4]), record(8, 16, [0, 0, 10, 4])])
    const labels = async (emit: string) => {
      using net = await Net.create(layer(source, 2, `crop_size: 8 ${emit}`), { engine: 'js', phase: 'TEST' })
      return rowsOf((await net.forward())['label']).map(row => [row[0], row[3], row[5]])
    }
    expect(await labels('')).toEqual([
      [0, 0, 0.375],
      [1, 0, 0.75],
    ])
    expect(await labels('emit_constraint { emit_type: CENTER }')).toEqual([[1, 0, 0.75]])
    expect(await labels('emit_constraint { emit_type: MIN_OVERLAP emit_overlap: 0.59 }')).toEqual([[1, 0, 0.75]])
    expect(await labels('emit_constraint { emit_type: MIN_OVERLAP emit_overlap: 0.4 }')).toHaveLength(2)
  })

  test('pictures in files, and the same batches from a worker as from this thread, and after a restored position', {
    tags: 'long',
  }, async () => {
    const pixels = Uint8Array.from({ length: 50 * 40 * 3 }, (_, i) => (i * 37) % 251)
    const png = new Uint8Array(
      await sharp(pixels, { raw: { width: 50, height: 40, channels: 3 } })
        .png()
        .toBuffer(),
    )
    const { annotation_group } = record(40, 50, [5, 5, 30, 20])
    const records: AnnotatedDatum[] = Array.from({ length: 3 }, (_, k) => ({
      datum: { data: png, encoded: true, label: k },
      type: 'BBOX',
      annotation_group: k === 1 ? [] : annotation_group,
    }))
    const source = await database(records)
    const transform = `mirror: true resize_param { height: 30 width: 30 } expand_param { max_expand_ratio: 2 }
      distort_param { brightness_prob: 0.5 brightness_delta: 32 contrast_prob: 0.5 contrast_lower: 0.5 contrast_upper: 1.5
        hue_prob: 0.5 hue_delta: 18 saturation_prob: 0.5 saturation_lower: 0.5 saturation_upper: 1.5 random_order_prob: 0.5 }`
    const batches = async (net: Net, n: number) => {
      const all = []
      for (let i = 0; i < n; i++) {
        const { data, label } = await net.forward()
        all.push([[...data.data], rowsOf(label)])
      }
      return all
    }
    const prefetch = (n: number) => {
      const param = layer(source, 2, transform, sampler)
      param.layer![0].data_param!.prefetch = n
      return Net.create(param, { engine: 'js', seed: 3, phase: 'TRAIN' })
    }
    using worker = await prefetch(3)
    using inline = await prefetch(0)
    const expected = await batches(inline, 4)
    expect(await batches(worker, 4)).toEqual(expected)
    expect(new Set(expected.map(batch => JSON.stringify(batch[0]))).size).toBe(4)
    using later = await prefetch(0)
    await batches(later, 2)
    const state = later.layers[0].saveState() ?? {}
    using resumed = await prefetch(3)
    resumed.layers[0].restoreState(state)
    expect(await batches(resumed, 2)).toEqual(expected.slice(2))
  })

  test('is refused with the field or the record', async () => {
    const source = await database([record(4, 4, [0, 0, 2, 2]), record(4, 6, [0, 0, 2, 2])])
    const refused = async (message: RegExp, ...args: [string?, string?]) =>
      expect(create(source, 2, ...args).then(net => net.forward().finally(() => net.dispose()))).rejects.toThrow(
        message,
      )
    await refused(
      /layer 'data' \(AnnotatedData\): record 1 of .*db\d+: the item is 1×4×6, the first of its batch 1×4×4/,
    )
    await refused(/resize_param has height 4 and width 0: give both/, 'resize_param { height: 4 }')
    await refused(/resize_param asks for 100000×100000/, 'resize_param { height: 100000 width: 100000 }')
    await refused(/noise_param.clahe is not there/, 'noise_param { clahe: true }')
    await refused(/anno_type LANE is not there/, '', 'anno_type: LANE')
    await refused(/yolo_data_type 1, MobileNet-YOLO's, is not there/, '', 'yolo_data_type: 1')
    await refused(/transform_param has crop_h 3 and crop_w 0: give both/, 'crop_h: 3')
    await refused(/transform_param has crop_size and crop_h: give one of them/, 'crop_size: 2 crop_h: 3 crop_w: 3')
    await refused(/crop_size 3×5 is larger than the item \(1×4×4\)/, 'crop_h: 3 crop_w: 5')
    await refused(/transform_param.scale_factors of .*is not understood here/, 'scale_factors: 2')
    const lane = await database([{ ...record(4, 4, [0, 0, 2, 2]), type: 'LANE' }])
    await expect(create(lane, 1)).rejects.toThrow(/record 0 of .*: its annotations are of type LANE/)
    const short = await database([
      { datum: { channels: 1, height: 4, width: 4, data: new Uint8Array(15) }, type: 'BBOX' },
    ])
    await expect(create(short, 1)).rejects.toThrow(/says 1×4×4 and holds 15 bytes/)
    // what only this layer does is no silent nothing elsewhere
    const data = layer(source, 1, 'emit_constraint { emit_type: CENTER }')
    Object.assign(data.layer![0], { type: 'Data' })
    await expect(Net.create(data, { engine: 'js' })).rejects.toThrow(
      /layer 'data' \(Data\): transform_param.emit_constraint of SSD .* is not understood here/,
    )
  })
})

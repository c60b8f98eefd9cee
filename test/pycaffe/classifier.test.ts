import ndarray from 'ndarray'
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { Classifier } from '../../lib/pycaffe/classifier.js'
import { Detector } from '../../lib/pycaffe/detector.js'
import { hostEngines } from '../engines.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'
import { inputLayer } from '../shapes.js'

interface Facts {
  classifier: {
    prototxt: string
    caffemodel: string
    image_dims: [number, number]
    mean: number[]
    raw_scale: number
    input_scale: number
    channel_swap: number[]
    images: GoldenArray[]
    center_only: GoldenArray
    oversampled: GoldenArray
    rtol: number
    atol: number
  }
}
const golden = new Golden<Facts>('io/io')
const facts = golden.json.classifier
const images = facts.images.map(place => ndarray(golden.array(place), place.shape))

describe.each(hostEngines)('Classifier on %s', engine => {
  test('center crop and oversampling give the recorded probabilities', async () => {
    using classifier = await Classifier.create(goldenPath(`io/${facts.prototxt}`), {
      weights: goldenPath(`io/${facts.caffemodel}`),
      engine,
      imageDims: facts.image_dims,
      mean: facts.mean,
      rawScale: facts.raw_scale,
      inputScale: facts.input_scale,
      channelSwap: facts.channel_swap,
    })
    const center = await classifier.predict(images, false)
    expect(center.shape).toEqual(facts.center_only.shape)
    expectClose(center.data, golden.array(facts.center_only), facts.rtol, facts.atol, 'center')
    for (const got of [await classifier.predict(images), await classifier.predict(images, { oversample: true })]) {
      expect(got.shape).toEqual(facts.oversampled.shape)
      expectClose(got.data, golden.array(facts.oversampled), facts.rtol, facts.atol, 'oversampled')
    }
    // one at a time, in batches that are not full
    for (const [i, image] of images.entries())
      expectClose(
        (await classifier.predict([image], { oversample: false })).data,
        center.data.subarray(5 * i, 5 * i + 5),
        1e-6,
        1e-7,
        `image ${i}`,
      )
  })
})

/** A net whose outputs are the sums of the input's values in the first channel, and whose input is `size` wide. */
const summing = (size: number, channels = 1) =>
  Net.create(
    parseNet(`
      layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 3 dim: ${channels} dim: ${size} dim: ${size} } } }
      layer { name: "sum" type: "Reduction" bottom: "data" top: "sum" reduction_param { axis: 1 } }`),
    { engine: 'js' },
  )

describe('Classifier', () => {
  test('averages ten crops, in batches of three', async () => {
    const classifier = await Classifier.create(await summing(1), { imageDims: [3, 3] })
    const image = ndarray(Float32Array.from([1, 0, 2, 0, 16, 0, 4, 0, 8]), [3, 3, 1])
    expect([...(await classifier.predict([image, image])).data]).toEqual([Math.fround(6.2), Math.fround(6.2)])
    expect([...(await classifier.predict([image], false)).data]).toEqual([16])
    expect((await classifier.predict([])).shape).toEqual([0, 0])
  })
  test('says what is wrong with the net or the options', async () => {
    await expect(
      Classifier.create(
        parseNet('layer { name: "d" type: "DummyData" top: "d" dummy_data_param { shape { dim: 1 } } }'),
      ),
    ).rejects.toThrow(/has no input: use its deploy prototxt/)
    const flat = parseNet(inputLayer('d', '1×2'))
    await expect(Classifier.create(flat)).rejects.toThrow(/\[1, 2\], not N × C × H × W/)
    await expect(Classifier.create(await summing(4), { imageDims: [3, 4] })).rejects.toThrow(/3×4 must not be smaller/)
    const classifier = await Classifier.create(await summing(2))
    const rgb = ndarray(new Float32Array(12), [2, 2, 3])
    await expect(classifier.predict([rgb])).rejects.toThrow(/3×2×2 after preprocessing, input 'data' takes 1×2×2/)
  })
})

describe('Detector', () => {
  const picture = ndarray(
    Float32Array.from({ length: 64 }, (_, i) => i),
    [8, 8, 1],
  )

  test('windows of arrays and files, each warped to the input', async () => {
    const detector = await Detector.create(await summing(2))
    const found = await detector.detectWindows([
      [
        picture,
        [
          [0, 0, 2, 2],
          [6, 6, 8, 8],
        ],
      ],
      [goldenPath('io/images/g2.png'), [[0, 0, 2, 2]]],
      [
        picture,
        [
          [1, 1, 3, 3],
          [0, 0, 8, 8],
        ],
      ],
    ])
    expect(found).toHaveLength(5)
    expect(found.map(({ window }) => window[0])).toEqual([0, 6, 0, 1, 0])
    const sums = found.map(({ prediction }) => prediction.get())
    expect(sums.slice(0, 2)).toEqual([0 + 1 + 8 + 9, 54 + 55 + 62 + 63])
    expect(sums[3]).toBe(9 + 10 + 17 + 18)
    // four samples of the ramp, symmetric about its middle value
    expect(sums[4]).toBe(4 * 31.5)
    expect(found[2].filename).toBe(goldenPath('io/images/g2.png'))
  })

  test('contextPad shows the surroundings, and the mean outside the picture', async () => {
    const detector = await Detector.create(await summing(6), { mean: [100], rawScale: 2, contextPad: 1 })
    // rows 3 … 4 of 8 (with Caffe's one more: 3 … 6) grow by 6/4 about 4.5 to 2.25 … 6.75, that is 2 … 7: 5 rows of 6,
    // warped to 6
    const inside = detector.crop(picture, [3, 3, 5, 5])
    expect(inside.shape).toEqual([6, 6, 1])
    expect(Math.min(...inside.data)).toBeGreaterThanOrEqual(18)
    // at the corner the box starts outside: 1 row and 1 column of the input are the mean, in terms of the picture 100 /
    // 2
    const corner = detector.crop(picture, [0, 0, 3, 3])
    const rows = Array.from({ length: 6 }, (_, y) => [...corner.data.subarray(6 * y, 6 * y + 6)])
    expect(rows[0]).toEqual(Array(6).fill(50))
    expect(rows.map(row => row[0])).toEqual(Array(6).fill(50))
    expect(rows[1][1]).toBeLessThan(50)
    detector.configureCrop(0)
    expect(detector.crop(picture, [0, 0, 3, 3]).shape).toEqual([3, 3, 1])
  })

  test('the mean outside the picture has the channels of the picture', async () => {
    const detector = await Detector.create(await summing(6, 3), {
      mean: [10, 20, 30],
      channelSwap: [2, 1, 0],
      contextPad: 1,
    })
    const corner = detector.crop(ndarray(new Float32Array(192), [8, 8, 3]), [0, 0, 3, 3])
    expect([...corner.data.subarray(0, 3)]).toEqual([30, 20, 10])
  })

  test('refuses windows outside the picture and contexts that fill the input', async () => {
    const detector = await Detector.create(await summing(6))
    expect(() => detector.crop(picture, [0, 0, 9, 8])).toThrow(/none of the 8×8 image/)
    expect(() => detector.crop(picture, [3, 0, 3, 8])).toThrow(/none of the 8×8 image/)
    expect(() => detector.configureCrop(3)).toThrow(/less than half/)
    expect(await detector.detectWindows([])).toEqual([])
  })
})

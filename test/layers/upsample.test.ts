import { describe, expect, test } from 'vitest'
import { UpsampleLayer } from '../../lib/layers/upsample.js'
import { UpsampleDarknetLayer } from '../../lib/layers/upsample_darknet.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'
import { netOf } from './run.js'

const upsample = (fields: string) => `type: "Upsample" upsample_param { ${fields} }`

describe.each(hostEngines)('Upsample on %s', engine => {
  test("hand-worked, SegNet's: values go where the mask says, the last of two, and both get the gradient", async () => {
    const run = await handPass(
      upsample('scale: 2'),
      [
        { shape: [1, 2, 1, 2], values: [1, 2, 3, 4] },
        { shape: [1, 2, 1, 2], values: [5, 0, 6, 6] },
      ],
      { engine, dy: [[1, 2, 3, 4, 5, 6, 7, 8, 10, 20, 30, 40, 50, 60, 70, 80]] },
    )
    expect(run.shapes[0]).toEqual([1, 2, 2, 4])
    expect(run.y[0]).toEqual([2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0])
    expect(run.dx[0]).toEqual([6, 1, 70, 70])
  })

  test("hand-worked, YOLO's: blocks, and their sums", async () => {
    const run = await handPass(upsample('scale: 2'), [{ shape: [1, 1, 1, 2], values: [1, 2] }], {
      engine,
      dy: [[1, 2, 3, 4, 5, 6, 7, 8]],
    })
    expect(run.y[0]).toEqual([1, 1, 2, 2, 1, 1, 2, 2])
    expect(run.dx[0]).toEqual([14, 22])
  })

  test('a net that learns passes no gradient to the mask, and needs no propagate_down to say so', async () => {
    const net = await netOf(
      [[1, 1, 2, 2]],
      `layer { name: "c" type: "Convolution" bottom: "in0" top: "c" convolution_param { num_output: 1 kernel_size: 1 weight_filler { value: 1 } } }
       layer { name: "p" type: "Pooling" bottom: "c" top: "p" top: "m" pooling_param { kernel_size: 2 stride: 2 } }
       layer { name: "u" type: "Upsample" bottom: "p" bottom: "m" top: "u" upsample_param { scale: 2 } }`,
      { engine },
    )
    await net.forward({ in0: [1, 4, 2, 3] })
    net.blobs.u.diffArray.set([1, 10, 100, 1000])
    await net.backward()
    // 4 at place 1 is the largest
    expect([...net.params.c[0].diffArray]).toEqual([40])
    expect([...net.blobs.c.diffArray]).toEqual([0, 10, 0, 0])
  })

  test('undoes the Pooling whose mask it takes', async () => {
    const net = await netOf(
      [[1, 1, 3, 4]],
      `layer { name: "p" type: "Pooling" bottom: "in0" top: "p" top: "m" pooling_param { kernel_size: 2 stride: 2 } }
       layer { name: "u" type: "Upsample" bottom: "p" bottom: "m" top: "u" upsample_param { upsample_h: 3 upsample_w: 4 } }`,
      { engine },
    )
    await net.forward({ in0: [1, 5, 2, 4, /**/ 3, 5, 0, 6, /**/ 9, 8, 7, 1] })
    expect([...net.blobs.u.dataArray]).toEqual([0, 5, 0, 0, /**/ 0, 0, 0, 6, /**/ 9, 0, 7, 0])
    net.blobs.u.diffArray.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    await net.backward()
    expect([...net.blobs.in0.diffArray]).toEqual([0, 2, 0, 0, /**/ 0, 0, 0, 8, /**/ 9, 0, 11, 0])
  })

  test.each([
    ['', [6, 10]],
    ['scale_h: 2 scale_w: 3', [6, 15]],
    ['scale: 2 pad_out_h: true', [5, 10]],
    ['upsample_h: 7 upsample_w: 9', [7, 9]],
  ])('size with "%s" and a mask', async (fields, size) => {
    const net = await handNet(upsample(fields), shapesOf('2×3×3×5 2×3×3×5'), { engine })
    expect(net.blobs.y0.shape).toEqual([2, 3, ...size])
  })

  test('checks', async () => {
    const mask = { shape: [2, 1, 2, 3], values: [0, 3, 5, 13, 23, 18, 2, 20, 1, 7, 9, 22], gradient: false }
    await checkLayer(UpsampleLayer, { param: 'upsample_param { scale: 2 }', bottoms: [[2, 1, 2, 3], mask], engine })
    await checkLayer(UpsampleLayer, { param: 'upsample_param { scale: 3 }', bottoms: [[2, 3, 5, 1]], engine })
    await checkLayer(UpsampleDarknetLayer, {
      param: 'upsample_darknet_param { stride: 2 }',
      bottoms: [[1, 3, 4, 7]],
      engine,
    })
  })

  test('refuses a mask that leads out of the plane', async () => {
    const given = [
      { shape: [1, 1, 1, 1], values: [1] },
      { shape: [1, 1, 1, 1], values: [4] },
    ]
    await expect(handPass(upsample('scale: 2'), given, { engine })).rejects.toThrow(
      /place 0 of the mask 'in1' is 4, and a plane of 'y0' \(1×1×2×2\) has 4/,
    )
  })
})

test('refuses fields that do not go together', async () => {
  const x = [1, 1, 2, 2]
  const refuses = (fields: string, message: RegExp, bottoms = [x, x]) =>
    expect(handNet(upsample(fields), bottoms)).rejects.toThrow(message)
  await refuses('upsample_h: 3', /upsample_h and upsample_w go together/)
  await refuses('scale_h: 2', /write scale, or scale_h and scale_w, or/)
  await refuses('scale: 2 scale_h: 2 scale_w: 2', /write scale, or scale_h and scale_w, or/)
  await refuses('scale: 1', /scale 1×1 must be above 1/)
  await refuses('upsample_h: 1 upsample_w: 4', /upsample_h: 1 and upsample_w: 4 must be above 1/)
  await refuses('scale: 3 pad_out_w: true', /pad_out_h and pad_out_w go with a scale of 2, not 3×3/)
  await refuses('upsample_h: 4 upsample_w: 4', /upsample_h goes with a second bottom/, [x])
  await refuses('scale: 0', /scale: 0 must be at least 1/, [x])
  await refuses('', /the mask 'in1' \(1×1×2×3\) must have the shape of 'in0'/, [x, [1, 1, 2, 3]])
  await refuses('', /must have four axes/, [[2, 2]])
  const darknet = 'type: "UpsampleDarknet" upsample_darknet_param { stride: 0 }'
  await expect(handNet(darknet, [x])).rejects.toThrow(/stride: 0 must be at least 1/)
  await expect(handNet('type: "UpsampleDarknet"', [[2, 2]])).rejects.toThrow(/must have four axes/)
})

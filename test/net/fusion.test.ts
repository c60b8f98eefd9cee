import { expect, test } from 'vitest'
import type { Engine, Fusions } from '../../lib/engine.js'
import type { Layer } from '../../lib/layer.js'
import { fusedLayers } from '../../lib/net/fusion.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { RandomStream } from '../../lib/rng.js'
import { hostEngines as engines } from '../engines.js'
import { inputLayer } from '../shapes.js'

const convolution = (name: string, bottom: string, more: string) => `
  layer { name: "${name}" type: "Convolution" bottom: "${bottom}" top: "${name}" convolution_param { num_output: 6 ${more}
    weight_filler { type: "xavier" } bias_filler { type: "gaussian" std: 0.1 } } }`
const relu = (bottom: string, top: string, more = '') => `
  layer { name: "relu_${top}" type: "ReLU" bottom: "${bottom}" top: "${top}" ${more} }`
const clip = (bottom: string, top: string, low = -0.5, high = 0.5) => `
  layer { name: "clip_${top}" type: "Clip" bottom: "${bottom}" top: "${top}" clip_param { min: ${low} max: ${high} } }`
/** A convolution by tiles, a leaky one, a 1×1 one, one with groups; last, pairs that must stay apart. */
const text = `
  force_backward: true
  ${inputLayer('data', '2×3×13×11')}
  ${convolution('a', 'data', 'kernel_size: 3 pad: 1')} ${relu('a', 'a')}
  ${convolution('b', 'a', 'kernel_size: 3 stride: 2')} ${relu('b', 'b', 'relu_param { negative_slope: 0.1 }')}
  ${convolution('c', 'b', 'kernel_size: 1')} ${relu('c', 'c')}
  ${convolution('d', 'c', 'kernel_size: 3 pad: 1 group: 3')} ${relu('d', 'd')}
  ${convolution('e', 'd', 'kernel_size: 1')} ${relu('e', 'e', 'relu_param { negative_slope: -0.5 }')}
  ${convolution('f', 'e', 'kernel_size: 1')} ${relu('f', 'g')}`

const layer = (type: string, name: string, bottoms: string[], top: string, more = '') => `
  layer { name: "${name}" type: "${type}" ${bottoms.map(bottom => `bottom: "${bottom}"`).join(' ')} top: "${top}" ${more} }`
const random = 'filler { type: "gaussian" std: 1 }'
/** The other layers that take one along: in place and not, with every operation, with and without a bias. */
const others = `
  force_backward: true
  ${inputLayer('data', '2×3×13×11')}
  ${layer('BatchNorm', 'a', ['data'], 'a')} ${relu('a', 'a')}
  ${layer('Scale', 'b', ['a'], 'b', `scale_param { ${random} bias_term: true bias_${random} }`)} ${relu('b', 'b')}
  ${layer('BatchNorm', 'c', ['b'], 'c')} ${layer('Scale', 'd', ['c'], 'c', `scale_param { ${random} }`)}
  ${relu('c', 'c', 'relu_param { negative_slope: 0.1 }')}
  ${layer('Bias', 'e', ['c'], 'e', `bias_param { ${random} }`)} ${relu('e', 'e')}
  ${layer('Eltwise', 'f', ['data', 'e'], 'f', 'eltwise_param { coeff: 1 coeff: -2 }')} ${relu('f', 'f')}
  ${layer('Eltwise', 'g', ['data', 'f'], 'g', 'eltwise_param { operation: PROD }')} ${relu('g', 'g')}
  ${layer('Eltwise', 'h', ['data', 'g'], 'h', 'eltwise_param { operation: MAX }')} ${relu('h', 'h', 'relu_param { negative_slope: 2 }')}
  ${layer('Eltwise', 'i', ['data', 'g', 'h'], 'i')} ${relu('i', 'i')}
  ${layer('InnerProduct', 'j', ['i'], 'j', 'inner_product_param { num_output: 7 weight_filler { type: "xavier" } }')} ${relu('j', 'j')}
  ${layer('InnerProduct', 'k', ['j'], 'k', 'inner_product_param { num_output: 5 bias_term: false weight_filler { type: "xavier" } }')} ${relu('k', 'k')}
  ${layer('InnerProduct', 'l', ['k'], 'last', 'inner_product_param { num_output: 5 weight_filler { type: "xavier" } }')}`

/** Nothing here learns, so no gradient asks what came into a Clip or a ReLU with a negative slope. */
const frozen = 'param { lr_mult: 0 } param { lr_mult: 0 }'
const fixed = `
  ${inputLayer('data', '2×3×13×11')}
  ${convolution('a', 'data', 'kernel_size: 3 pad: 1').replace('convolution_param', `${frozen} convolution_param`)} ${clip('a', 'a', 0, 6)}
  ${convolution('b', 'a', 'kernel_size: 3 stride: 2').replace('convolution_param', `${frozen} convolution_param`)} ${clip('b', 'b')}
  ${layer('BatchNorm', 'c', ['data'], 'c')} ${clip('c', 'c')}
  ${layer('Scale', 'd', ['c'], 'd', `${frozen} scale_param { ${random} bias_term: true bias_${random} }`)} ${clip('d', 'd')}
  ${layer('Bias', 'e', ['d'], 'e', `param { lr_mult: 0 } bias_param { ${random} }`)} ${clip('e', 'e', -1, 0)}
  ${layer('Eltwise', 'f', ['data', 'e'], 'f')} ${relu('f', 'f', 'relu_param { negative_slope: -0.5 }')}
  ${layer('Eltwise', 'g', ['data', 'e', 'f'], 'g')} ${clip('g', 'g')}
  ${layer('InnerProduct', 'h', ['g'], 'h', `${frozen} inner_product_param { num_output: 7 weight_filler { type: "xavier" } }`)} ${clip('h', 'h', -0.1, 0.1)}
  ${layer('Eltwise', 'i', ['data', 'e'], 'i', 'eltwise_param { operation: PROD }')} ${clip('i', 'i')}
  ${layer('Scale', 'j', ['i'], 'j', `param { lr_mult: 0 } scale_param { ${random} }`)} ${clip('j', 'k')}`

const convolutional = `
  ${inputLayer('data', '2×3×13×11')}
  ${convolution('a', 'data', 'kernel_size: 3')}`

const values = (n: number) => {
  const random = new RandomStream(1, 'fusion')
  return Float32Array.from({ length: n }, () => random.uniform() * 2 - 1)
}

const pairs = engines.flatMap(engine => [
  { engine, what: 'convolutions', prototxt: text, last: 'g', phase: 'TEST' } as const,
  { engine, what: 'other layers', prototxt: others, last: 'last', phase: 'TRAIN' } as const,
  { engine, what: 'other layers, in TEST', prototxt: others, last: 'last', phase: 'TEST' } as const,
])

test.each(pairs)(
  '$what take the ReLU on their top along, in the same bits, on $engine',
  async ({ engine, prototxt, last, phase }) => {
    const nets = await Promise.all(
      [0, 1].map(() => Net.create(parseNet(prototxt), { engine, phase, threads: 2, seed: 3 })),
    )
    const [fused, apart] = nets
    // who looks at every layer sees every layer
    const seen: string[] = []
    apart.afterForward(name => void seen.push(name))
    for (const size of [2, 3]) {
      for (const net of nets) {
        net.blobs.data.reshape([size, 3, 13, 11])
        await net.forward({ data: values(size * 3 * 13 * 11) })
        net.blobs[last].diffArray.set(values(net.blobs[last].count))
        await net.backward()
      }
      for (const name of Object.keys(fused.blobs)) {
        expect(fused.blobs[name].dataArray, name).toEqual(apart.blobs[name].dataArray)
        expect(fused.blobs[name].diffArray, name).toEqual(apart.blobs[name].diffArray)
      }
      for (const name of Object.keys(fused.params))
        fused.params[name].forEach((blob, i) => expect(blob.diffArray, name).toEqual(apart.params[name][i].diffArray))
    }
    expect(seen).toContain('relu_a')
    nets.forEach(net => net.dispose())
  },
)

test.each(engines)(
  'layers take Clip and ReLU along where no gradient follows, in the same bits, on %s',
  async engine => {
    for (const threads of [1, 2]) {
      const nets = await Promise.all([0, 1].map(() => Net.create(parseNet(fixed), { engine, threads, seed: 3 })))
      const [fused, apart] = nets
      // between a layer and its Clip there are values that the Clip changes
      const outside: string[] = []
      apart.afterForward(name => {
        if (name.length === 1 && apart.blobs[name].dataArray.some(x => x < -0.5 || x > 0.5)) outside.push(name)
      })
      for (const size of [2, 3]) {
        const data = values(size * 3 * 13 * 11)
        // what a comparison or a maximum may treat differently
        data.set([-0, 0, Number.NaN, Infinity, -Infinity], 20)
        for (const net of nets) {
          net.blobs.data.reshape([size, 3, 13, 11])
          await net.forward({ data })
        }
        for (const name of Object.keys(fused.blobs))
          expect(fused.blobs[name].dataArray, name).toEqual(apart.blobs[name].dataArray)
      }
      expect(outside).toEqual(expect.arrayContaining(['a', 'b', 'c', 'd', 'e', 'f', 'g']))
      nets.forEach(net => net.dispose())
    }
  },
)

const namesOf = (net: Net) => [...fusedLayers(net.built.nodes)].map(([first, { node }]) => `${first.name} ${node.name}`)

test('a Clip is taken along where its gradient is not wanted: it needs what came in', async () => {
  const net = await Net.create(parseNet(fixed), { engine: 'js', seed: 3 })
  expect(namesOf(net)).toEqual([
    'a clip_a',
    'b clip_b',
    'c clip_c',
    'd clip_d',
    'e clip_e',
    'f relu_f',
    'g clip_g',
    'h clip_h',
  ])
  const learns = await Net.create(parseNet(`force_backward: true ${fixed}`), { engine: 'js', seed: 3 })
  expect(namesOf(learns)).toEqual([])
  const lean = await Net.create(parseNet(`${convolutional} ${clip('a', 'a', 0, 6)}`), {
    engine: 'js',
    optimize: 'inference',
  })
  expect(namesOf(lean)).toEqual(['a clip_a'])
})

test('kernels of an engine that does not say so get nothing to do afterwards', async () => {
  const net = await Net.create(parseNet(others), { engine: 'js', phase: 'TRAIN', seed: 3 })
  const on = (engine: Engine) =>
    net.built.nodes.map(node => ({ ...node, layer: Object.create(node.layer, { engine: { value: engine } }) as Layer }))
  const names = (fuses?: Fusions) =>
    [...fusedLayers(on({ ...net.engine, fuses }))].map(([first, { node }]) => `${first.name} ${node.name}`)
  expect(names(undefined)).toEqual([])
  expect(names({ addBias: ['relu'], eltwiseSum: ['clip'] })).toEqual(['e relu_e', 'j relu_j'])
})

test('every layer that can take its ReLU along does', async () => {
  const net = await Net.create(parseNet(others), { engine: 'js', phase: 'TRAIN', seed: 3 })
  expect(namesOf(net)).toEqual(['a relu_a', 'b relu_b', 'd relu_c', 'e relu_e', 'f relu_f', 'i relu_i', 'j relu_j'])
  net.dispose()
})

test.each(engines)('a pass that ends with the convolution leaves its sums as they are, on %s', async engine => {
  const net = await Net.create(parseNet(text), { engine, threads: 2, seed: 3 })
  const data = values(2 * 3 * 13 * 11)
  const { a } = await net.forward({ data }, { end: 'a', blobs: ['a'] })
  expect(Math.min(...(a.data as Float32Array))).toBeLessThan(0)
  const whole = await net.forward({ data }, { blobs: ['a'] })
  expect((whole.a.data as Float32Array).map(x => x)).toEqual((a.data as Float32Array).map(x => (x > 0 ? x : 0 * x)))
  net.dispose()
})

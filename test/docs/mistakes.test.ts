/** What a newcomer gets wrong, and what the library says then: the layer, the rule and the fix. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { OneHotLayer } from '../../docs/examples/custom-layer/one_hot.js'
import {
  type Blob,
  Layer,
  Net,
  type NetOptions,
  parseNet,
  parseParamStr,
  registerLayer,
  registerLayerModule,
  SGDSolver,
} from '../../lib/index.js'
import { drawNet } from '../../lib/pycaffe/index.js'
import { root } from './blocks.js'

const folder = mkdtempSync(join(tmpdir(), 'mistakes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const inputs = `
  layer { name: "in" type: "Input" top: "data" top: "label" input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } }
  layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }`
const batch = new Float32Array(12).fill(1)
const netWith = (layers: string, options: NetOptions = {}) =>
  Net.create(parseNet(inputs + layers), { phase: 'TRAIN', ...options })
const mine = (type: string) => netWith(`layer { name: "mine" type: "${type}" bottom: "ip" top: "x" }`)
/** What a call is refused with; JavaScript programs have no compiler to stop them, hence the loose types. */
const refused = async (call: () => unknown): Promise<string> => {
  try {
    await call()
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing'
}

/** A layer that copies its bottom, with methods replaced. */
function layerOf(methods: Partial<Pick<Layer, 'setup' | 'reshape' | 'forward' | 'backward'>>): typeof CopyLayer {
  const made = class extends CopyLayer {}
  Object.assign(made.prototype, methods)
  return made
}
class CopyLayer extends Layer {
  reshape(bottom: Blob[], top: Blob[]): void {
    top[0].reshapeLike(bottom[0])
  }
  forward(bottom: Blob[], top: Blob[]): void {
    top[0].dataArray.set(bottom[0].dataArray)
  }
}

describe('a layer of one’s own', () => {
  test('that gives its top no shape', async () => {
    registerLayer('Shapeless', layerOf({ reshape: () => {} }))
    expect(await refused(() => mine('Shapeless'))).toBe(
      "layer 'mine' (Shapeless): its reshape gives top 0, 'x', no shape: call top[0].reshape(…) there",
    )
  })

  test('whose shape is that of a single value', async () => {
    registerLayer('Single', layerOf({ reshape: (_, top) => top[0].reshape([]), forward: () => {} }))
    expect(await refused(() => mine('Single'))).toBe('nothing')
  })

  test('that does not extend Layer', async () => {
    class Alone {
      reshape() {}
    }
    registerLayer('Alone', Alone as never)
    expect(await refused(() => mine('Alone'))).toMatch(
      /^layer 'mine' \(Alone\): its class Alone does not extend Layer; a layer is a class that/,
    )
  })

  test('that has no forward', async () => {
    class Half extends (Layer as unknown as new (...args: never[]) => object) {
      reshape() {}
    }
    registerLayer('Half', Half as never)
    expect(await refused(() => mine('Half'))).toMatch(
      /^layer 'mine' \(Half\): its class Half has no forward method; a layer is a class that/,
    )
  })

  test.each(['setup', 'reshape', 'forward', 'backward'] as const)('whose %s throws', async method => {
    class OwnError extends Error {}
    const thrown = new OwnError('Need two inputs')
    const raise = () => {
      throw thrown
    }
    registerLayer('Throws', layerOf({ [method]: raise }))
    const run = async () => {
      const net = await netWith(`layer { name: "mine" type: "Throws" bottom: "ip" top: "x" loss_weight: 1 }`)
      await net.forward({ data: batch })
      await net.backward()
    }
    await expect(run()).rejects.toBe(thrown)
    expect(thrown.message).toBe("layer 'mine' (Throws): Need two inputs")
    expect(thrown.stack).toMatch(/^Error: layer 'mine' \(Throws\): Need two inputs\n.*mistakes\.test/s)
  })

  test('whose param_str cannot be read', async () => {
    registerLayer('Reads', layerOf({ setup: () => void parseParamStr('margin 0.2') }))
    expect(await refused(() => mine('Reads'))).toMatch(
      /^layer 'mine' \(Reads\): param_str: ':' is missing after 'margin 0\.2'/,
    )
  })

  test('that draws a number out of none', async () => {
    for (const n of [0, -1, 2.5, Number.NaN, 2 ** 33]) {
      registerLayer(
        'Draws',
        layerOf({
          forward(this: Layer) {
            this.random.integer(n)
          },
        }),
      )
      const net = await mine('Draws')
      expect(await refused(() => net.forward({ data: batch }))).toBe(
        `layer 'mine' (Draws): random.integer(n) takes a whole number from 1 to 2^32, not ${n}`,
      )
    }
  })

  test('that is not registered, or misspelled', async () => {
    expect(await refused(() => mine('OneHot'))).toMatch(
      /has the unknown type 'OneHot'; a type of your own needs registerLayer\('OneHot', …\)/,
    )
    expect(await refused(() => mine('Convolutoin'))).toMatch(
      /unknown type 'Convolutoin' \(did you mean 'Convolution'\?\)/,
    )
    expect(await refused(() => mine('Python'))).toMatch(
      /^layer 'mine' \(Python\) does not say which class it is; write python_param/,
    )
  })
})

describe('values', () => {
  const values: [string, unknown, RegExp][] = [
    ['none', undefined, /^blob 'data' takes an array, an ndarray or nested arrays of numbers, not undefined$/],
    ['text', '12 values', /not a string$/],
    ['a promise', Promise.resolve(new Float32Array(12)), /not a promise: await it first$/],
    [
      'too few',
      new Float32Array(5),
      /^blob 'data' is 4×3 \(12 values\), but 5 values were given; net\.blobs\['data'\]\.reshape/,
    ],
  ]
  test.each(values)('%s', async (_, data, message) => {
    const net = await netWith('')
    expect(await refused(() => net.forward({ data } as never))).toMatch(message)
  })

  test('without a name', async () => {
    const net = await netWith('')
    expect(await refused(() => net.forward(new Float32Array(12) as never))).toBe(
      'values are given by name: { data: values }',
    )
  })
})

describe('files and options', () => {
  const prototxt = join(folder, 'net.prototxt')
  const model = join(folder, 'net.caffemodel')
  const solver = join(folder, 'solver.prototxt')
  const files = async () => {
    writeFileSync(prototxt, `name: "LeNet"${inputs}`)
    writeFileSync(model, await (await netWith('')).toBytes())
    writeFileSync(solver, `net: "${prototxt}" base_lr: 0.01 lr_policy: "fixed"`)
  }

  test('one file in the place of another', async () => {
    await files()
    expect(await refused(() => netWith('', { weights: prototxt }))).toMatch(
      /this is text, the prototxt of a net; weights are read from a model/,
    )
    expect(await refused(() => Net.create(inputs))).toMatch(
      /^this is the text of a prototxt, not its path.*Net\.create\(parseNet\(text\)\)$/,
    )
    expect(await refused(() => Net.create(model))).toMatch(
      /a net is described by text.*this file is binary.*the option weights$/,
    )
    expect(await refused(() => Net.create(solver))).toMatch(
      /NetParameter has no field 'net'; a solver has one: is this a solver's prototxt\?$/,
    )
    expect(await refused(() => SGDSolver.create(prototxt))).toMatch(
      /SolverParameter has no field 'name'; a net has one: is this a net's/,
    )
    expect(await refused(() => netWith('', { weights: model }))).toBe('nothing')
  })

  test('a phase in small letters', async () => {
    expect(await refused(() => netWith('', { phase: 'test' as never }))).toBe("phase is 'TRAIN' or 'TEST', not 'test'")
  })

  test('a net where its description is wanted', async () => {
    const net = await netWith('')
    expect(drawNet(net, { format: 'dot' })).toBe(drawNet(net.param, { format: 'dot' }))
  })
})

describe('the messages in docs/tutorials/custom-layers.md', () => {
  const page = readFileSync(join(root, 'docs/tutorials/custom-layers.md'), 'utf8')
  const [, table] = page.split('| mistake | message |\n|---|---|\n')
  const rows = table
    .split('\n\n')[0]
    .split('\n')
    .map(row => row.slice(2, -2).split(' | '))
    .filter(([, message]) => !message.startsWith('TypeScript'))
  const loss = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }'
  const python = (name: string, layer: string) =>
    `layer { name: "${name}" type: "Python" bottom: "ip" top: "x" python_param { module: "m" layer: "${layer}" } }`
  const make: Record<string, () => unknown> = {
    'the class was not registered': () => netWith(python('mine', 'X')),
    'too few bottoms, with `bottomCount`': () => {
      registerLayerModule('m', { OneHotLayer })
      return netWith(python('one_hot', 'OneHotLayer'))
    },
    '`reshape` does nothing': () => {
      registerLayer('Mine', layerOf({ reshape: () => {} }))
      return mine('Mine')
    },
    'a field is misspelled': () =>
      parseNet(`${'\n'.repeat(6)}${inputs.trim().replace('num_output', 'num_outputs').replaceAll('\n', ' ')}`, {
        file: 'net.prototxt',
      }),
    'a label is no class': async () => (await netWith(loss)).forward({ data: batch, label: [0, 1, 2, 7] }),
    'the input has another size': async () => (await netWith('')).forward({ data: new Float32Array(5) }),
    '`base_lr` is too high': async () => {
      const net = parseNet(`${inputs.replace('num_output: 5', 'num_output: 3')}
        layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "data" top: "loss" }`)
      const lines: string[] = []
      const param = {
        net_param: net,
        base_lr: 100,
        lr_policy: 'fixed' as const,
        max_iter: 40,
        display: 20,
        random_seed: 1,
      }
      const solver = await SGDSolver.create(param, { log: line => lines.push(line) })
      const data = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i))
      solver.net.feed('data', data)
      // a loss that is not a number is not one that is stuck
      await solver.solve().finally(() => expect(lines.join('\n')).not.toContain('87.3365'))
    },
  }
  test.each(rows)('%s', async (mistake, quoted) => {
    const message = await refused(make[mistake])
    for (const part of quoted.slice(1, -1).split('…')) expect(message).toContain(part.trim())
  })
})

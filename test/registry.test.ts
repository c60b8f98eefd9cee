import { describe, expect, test } from 'vitest'
import { RistrettoError } from '../lib/errors.js'
import { builtInLayers } from '../lib/generated/layer_list.js'
import { Layer, type LayerClass } from '../lib/layer.js'
import { builtInModules } from '../lib/layers/modules/index.js'
import { Net } from '../lib/net.js'
import { parseNet } from '../lib/proto/text.js'
import {
  classOf,
  fetchClasses,
  layerModules,
  layerTypes,
  registerLayer,
  registerLayerModule,
  rememberLayers,
} from '../lib/registry.js'
import { inputLayer } from './shapes.js'

describe('classes that come when a net names them', () => {
  test.each(Object.entries<LayerClass>(builtInLayers))('%s', async (type, layer) => {
    expect(layerTypes()).toContain(type)
    await fetchClasses([{ name: 'x', type }])
    expect(classOf({ type })).toBe(layer)
  })

  const python = Object.entries(builtInModules).flatMap(([module, layers]) =>
    Object.entries(layers).map(([layer, own]) => [module, layer, own] as const),
  )
  test.each(python)('%s.%s', async (module, layer, own) => {
    const param = { type: 'Python', python_param: { module, layer } }
    expect(layerModules().get(module)).toContain(layer)
    await fetchClasses([param])
    expect(classOf(param)).toBe(own)
  })

  test('what there is not is not found, whatever its name', async () => {
    for (const type of ['toString', '__proto__', 'NoSuch', '', 'Python']) {
      await fetchClasses([{ type }, { type: 'Python', python_param: { module: type, layer: 'constructor' } }])
      expect(classOf({ type })).toBeUndefined()
      expect(classOf({ type: 'Python', python_param: { module: type, layer: 'constructor' } })).toBeUndefined()
    }
  })
})

test('kernels that a class lists and that there are not are refused', async () => {
  const restore = rememberLayers()
  expect(() =>
    registerLayer(
      'Odd',
      class {
        static uses = 'relu'
      } as never,
    ),
  ).toThrow('layer Odd: static uses is a list of kernels, not a string')
  expect(() =>
    registerLayerModule('odd', {
      Odd: class {
        static gpu = null
      } as never,
    }),
  ).toThrow('layer odd.Odd: static gpu is a list of kernels, not null')
  class Typo extends Layer {
    static override readonly uses = ['absolut' as 'absolute']
    reshape() {}
    forward() {}
  }
  registerLayer('Typo', Typo)
  registerLayer(
    'Bare',
    class {
      reshape() {}
      forward() {}
    } as never,
  )
  const text = (type: string) =>
    parseNet(`${inputLayer('x', '1')} layer { name: "l" type: "${type}" bottom: "x" top: "y" }`)
  await expect(Net.create(text('Typo'), { engine: 'js' })).rejects.toThrow(
    "class Typo names the kernel 'absolut' in static uses, and there is none of that name; did you mean 'absolute'?",
  )
  await expect(Net.create(text('Bare'), { engine: 'js' })).rejects.toThrow("layer 'l' (Bare): its class")
  restore()
})

test('what is no name or no class is refused at once, not when a net names it', () => {
  expect(() => registerLayer('Odd', 5 as never)).toThrow(
    /registerLayer takes the name of a type and a class.* and a number/,
  )
  expect(() => registerLayer(undefined as never, class {} as never)).toThrow(RistrettoError)
  expect(() => registerLayerModule('odd', null as never)).toThrow(RistrettoError)
})

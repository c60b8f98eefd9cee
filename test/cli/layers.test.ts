import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadLayers } from '../../lib/cli/load_layers.js'
import { layerTypes } from '../../lib/registry.js'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()
const library = pathToFileURL(join(import.meta.dirname, '../../lib/index.ts')).href
const write = (name: string, text: string) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const layers = (factor: string) => `
  import { Layer } from '${library}'
  export const notALayer = 3
  export function helper() {}
  export class TimesLayer extends Layer {
    reshape(bottom, top) { top[0].reshapeLike(bottom[0]) }
    forward(bottom, top) { top[0].dataArray.set(bottom[0].dataArray.map(x => ${factor} * x)) }
    backward(top, propagateDown, bottom) {}
  }
  export default class ByDefaultLayer extends TimesLayer {}`

const net = (type: string) =>
  write(
    `${type.length}.prototxt`,
    `layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 } data_filler { type: "constant" value: 3 } } }
     layer { name: "y" bottom: "x" top: "y" ${type} loss_weight: 1 }`,
  )

describe('--layers', () => {
  it('registers every layer class, as a module and by its name', async () => {
    const file = write('custom_layers.mjs', layers('7'))
    for (const type of [
      'type: "TimesLayer"',
      'type: "ByDefaultLayer"',
      'type: "Python" python_param { module: "custom_layers" layer: "TimesLayer" }',
    ]) {
      const { code, out, err } = await cli(
        'time',
        '--model',
        net(type),
        '--iterations',
        '1',
        '--engine',
        'js',
        '--layers',
        file,
      )
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toContain('Initial loss: 42')
    }
    expect(layerTypes()).not.toContain('helper')
  })

  it('may be given once for all modules or once for each', async () => {
    const [a, b] = ['A', 'B'].map(name =>
      write(`layers_${name}.mjs`, layers('2').replaceAll('TimesLayer', `Twice${name}`)),
    )
    const model = write(
      'two.prototxt',
      `layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 } data_filler { type: "constant" value: 3 } } }
       layer { name: "y" type: "TwiceA" bottom: "x" top: "y" } layer { name: "z" type: "TwiceB" bottom: "y" top: "z" loss_weight: 1 }`,
    )
    for (const flags of [
      ['--layers', `${a},${b}`],
      ['--layers', a, '-layers', b],
    ])
      expect((await cli('time', '--model', model, '--iterations', '1', '--engine', 'js', ...flags)).out).toContain(
        'Initial loss: 24',
      )
  })

  it('says when a class takes the place of a built-in layer', async () => {
    const file = write('replacing.mjs', `${layers('7')}\nexport class Silence extends TimesLayer {}`)
    expect((await loadLayers(file)).join()).toContain("'Silence' takes the place of the built-in layer of that name")
  })

  it('refuses a module without layers, and one that does not parse', async () => {
    const empty = write('empty.mjs', 'export const x = 1')
    await expect(loadLayers(empty)).rejects.toThrow('exports no layer; export a class that extends Layer (found: x)')
    const imports = write('imports.mjs', "import './not-there.mjs'")
    await expect(loadLayers(imports)).rejects.toThrow(/imports\.mjs: .*not-there/)
    const broken = write('broken.mjs', 'export const x = 1\n\nexport class {')
    await expect(loadLayers(broken)).rejects.toThrow(/broken\.mjs: /)
  })
})

import { expect, test } from 'vitest'
import { type Blob, Layer, Net, parseNet, registerLayer } from '../../lib/index.js'
import { rememberLayers } from '../../lib/registry.js'
import { inputLayer } from '../shapes.js'

test("a layer's own mistake is told in a message of bounded length, without orders to a terminal", async () => {
  const name = `\\033[2J${'x'.repeat(100_000)}`
  const net = parseNet(
    `layer { name: "${name}" type: "Input" top: "a" input_param { shape { ${'dim: 1 '.repeat(33)} } } }`,
  )
  const error = await Net.create(net, { engine: 'js' }).then(
    () => undefined,
    (error: Error) => error,
  )
  expect(error?.message).toMatch(/^layer '\\x1b\[2Jxxx.*33 axes, at most 32 are allowed$/s)
  expect(error!.message.length).toBeLessThanOrEqual(4002)
})

test('what is thrown and is no error becomes one that names the layer', async () => {
  const restore = rememberLayers()
  let thrown: unknown
  class Throws extends Layer {
    reshape(bottom: Blob[], top: Blob[]) {
      top[0].reshapeLike(bottom[0])
    }
    forward() {
      throw thrown
    }
  }
  registerLayer('Throws', Throws)
  const net = await Net.create(
    parseNet(`${inputLayer('x', '1')} layer { name: "t" type: "Throws" bottom: "x" top: "y" }`),
    { engine: 'js' },
  )
  for (const [value, what] of [
    [null, 'null'],
    [undefined, 'undefined'],
    ['no more', "'no more'"],
    [{ code: 1 }, 'an object'],
  ]) {
    thrown = value
    const error = await net.forward({ x: [1] }).catch(error => error)
    expect(error).toMatchObject({ name: 'NetError', layer: 't', cause: value })
    expect(error.message).toBe(`layer 't' (Throws): it threw ${what}, which is no Error`)
  }
  thrown = { name: 'Error', message: 'of another realm' }
  await expect(net.forward({ x: [1] })).rejects.toBe(thrown)
  restore()
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/index.js'
import { saveImage } from '../../lib/pycaffe/index.js'
import { ndarrayOf } from '../../lib/system/ndarrays.js'
import { cli, temporaryFolder } from './helpers.js'

const archive = fileURLToPath(new URL('../../models/digits/digits.zip', import.meta.url))
const folder = temporaryFolder()
const js = ['--engine', 'js']

/** A file with a one in it. */
async function one(): Promise<string> {
  const file = join(folder, 'one.png')
  const pixels = Float32Array.from({ length: 784 }, (_, i) =>
    i % 28 >= 13 && i % 28 <= 15 && i > 112 && i < 672 ? 1 : 0,
  )
  await saveImage(file, ndarrayOf(pixels, [28, 28, 1]))
  return file
}

/** Width and height of a PNG file. */
const sizeOf = (file: string): number[] => [16, 20].map(at => readFileSync(file).readUInt32BE(at))

describe('show', () => {
  test('a table of all weights, or of what every layer makes of a picture', async () => {
    const weights = await cli('show', archive, ...js)
    expect(weights).toMatchObject({ code: 0, err: '' })
    expect(weights.out).toMatch(
      /^layer +type +blob +shape +mean +std +min +max +histogram\n─+\nconv1 +Convolution +param 0 +12×1×5×5 /,
    )
    const seen = await cli('show', archive, '--image', await one(), '--json', ...js)
    const rows = JSON.parse(seen.out)
    expect(rows.map((row: { layer: string }) => row.layer)).toEqual(
      'conv1 relu1 pool1 conv2 relu2 pool2 drop digit prob'.split(' '),
    )
    const prob = rows[rows.length - 1]
    expect(prob).toMatchObject({ type: 'Softmax', shape: [1, 10], count: 10, mean: expect.closeTo(0.1, 6) })
  })

  test('filters and activations as PNG files', async () => {
    const filters = join(folder, 'filters.png')
    const { out } = await cli('show', archive, '--layer', 'conv1', '--output', filters, ...js)
    expect(out).toContain(`${filters}: 12 × 5×5, 23×17 pixels`)
    expect(sizeOf(filters)).toEqual([23, 17])
    const seen = join(folder, 'seen.png')
    await cli('show', archive, '--layer', 'pool1', '--image', await one(), '--output', seen, '--each-plane', ...js)
    expect(sizeOf(seen)).toEqual([4 * 13 - 1, 3 * 13 - 1])
  })

  test('works with a prototxt and weights, too', async () => {
    const net = await Net.load(archive, { engine: 'js' })
    const [model, weights] = [join(folder, 'net.prototxt'), join(folder, 'net.caffemodel')]
    const { writeFileSync } = await import('node:fs')
    const { printNet } = await import('../../lib/index.js')
    writeFileSync(model, printNet(net.param))
    await net.save(weights)
    net.dispose()
    const { code, out } = await cli('show', model, weights, '--layer', 'digit', '--param', '1', ...js)
    expect(code).toBe(0)
    expect(out).toMatch(/digit +InnerProduct +param 1 +10 /)
    expect((await cli('show', model, ...js)).err).toContain('which weights?')
  })

  test.each([
    [['--layer', 'conv3'], /no layer 'conv3'.*conv1/],
    [['--layer', 'pool1'], /layer 'pool1' \(Pooling\) has no params; --image shows what it gives/],
    [['--layer', 'conv1', '--param', '2'], /has 2 params: --param is 0 to 1/],
    [['--layer', 'conv1', '--output', 'x.gif'], /writes \.png files, not 'x\.gif'/],
    [['--image', 'missing.png'], /missing\.png/],
    [['weights.caffemodel'], /is an archive and has its weights/],
  ])('%j is refused', async (flags, message) => {
    const { code, err } = await cli('show', archive, ...flags, ...js)
    expect(code).toBe(1)
    expect(err).toMatch(message)
  })

  test('an input computes nothing that could be shown', async () => {
    const { code, err } = await cli('show', archive, '--layer', 'data', '--image', await one(), ...js)
    expect(code).toBe(1)
    expect(err).toContain("layer 'data' (Input) computes nothing from the picture that could be shown")
  })

  test('a picture is of one layer', async () => {
    expect(await cli('show', archive, '--output', 'x.png')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--layer names it'),
    })
  })
})

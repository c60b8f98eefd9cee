import ndarray from 'ndarray'
import { expect, it } from 'vitest'
import { RistrettoError } from '../../lib/errors.js'
import type { MemoryDataLayer } from '../../lib/layers/memory_data.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { Transformer } from '../../lib/pycaffe/io/transformer.js'
import { copyValues, countOf, type Values } from '../../lib/system/ndarrays.js'

const net = await Net.create(
  parseNet(`
    layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 3 dim: 2 } } }
    layer { name: "p" type: "Power" bottom: "x" top: "y" }`),
  { engine: 'js' },
)

const holes: unknown[] = [1, 2, 3, 4, 5]
holes[7] = 1
delete holes[4]

/** What is given, where the first value stands that is no number, and what it is. */
const wrong: [unknown, place: string, what: RegExp][] = [
  [[1, 2, 3, 4, null, 6], '[4]', /null \(JSON writes NaN/],
  [[null, 2, 3, 4, 5, 6], '[0]', /null/],
  [[1, undefined, 3, 4, 5, 6], '[1]', /undefined/],
  [[1, 2, 3, 4, 5, 'x'], '[5]', /the text 'x'/],
  [[1, 2, 3, 4, 5, '6'], '[5]', /the text '6'/],
  [[1n, 2, 3, 4, 5, 6], '[0]', /the BigInt 1n/],
  [[true, 2, 3, 4, 5, 6], '[0]', /true \(write 1\)/],
  [holes.slice(0, 6), '[4]', /undefined/],
  [BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n), '[0]', /the BigInt 1n/],
  [
    [
      [1, 2],
      [3, 4],
      [null, 6],
    ],
    '[2][0]',
    /null/,
  ],
  [
    [
      [1, 2],
      [3, 4],
      [5, undefined],
    ],
    '[2][1]',
    /undefined/,
  ],
  [[[1, 2], null, [5, 6]], '[1]', /null/],
  [[[1, 2], [3, 4], 'ab'], '[2]', /the text 'ab'/],
  [[[1, 2], [3, 4], {}], '[2]', /a object|an object/],
  [ndarray([1, 2, 3, 4, null, 6] as never, [3, 2]), '[2][0]', /null/],
  [ndarray([1, 2, 3, 4, null, 6] as never, [2, 3]).transpose(1, 0), '[1][1]', /null/],
  [{ length: 6, 0: 1 }, '[1]', /undefined/],
]

it('a value that is no number is an error with blob, place and value, in forward and backward', async () => {
  for (const [values, place, what] of wrong) {
    const passes = [
      () => net.forward({ x: values as Values }),
      () => net.backward({ y: values as Values }),
      () => net.forwardAll({ x: values as Values }),
    ]
    for (const pass of passes) {
      await expect(pass()).rejects.toThrow(RistrettoError)
      await expect(pass()).rejects.toThrow(what)
    }
    await expect(net.forward({ x: values as Values })).rejects.toThrow(`blob 'x': the value at ${place} is `)
  }
})

it('in feeds, item by item and as a whole', async () => {
  for (const [values, place] of wrong.filter(
    ([values]) => Array.isArray(values) && values.every(v => typeof v !== 'object' || !v),
  ))
    expect(() => net.feed('x', values as Values)).toThrow(`feed of input 'x': the value at ${place} is `)
  net.feed('x', [
    [1, 2],
    [3, null],
  ] as never)
  await expect(net.forward()).rejects.toThrow(/feed of input 'x', after 1 items: the value at \[1\] is null/)
  net.feed('x', [
    [
      [1, 2],
      [3, 4],
      [5, 'x'],
    ],
  ] as never)
  await expect(net.forward()).rejects.toThrow(/feed of input 'x': the value at \[2\]\[1\] is the text 'x'/)
})

it('in MemoryData and in means', async () => {
  const memory = await Net.create(
    parseNet(
      'layer { name: "m" type: "MemoryData" top: "x" top: "y" memory_data_param { batch_size: 2 channels: 1 height: 1 width: 1 } }',
    ),
    { engine: 'js' },
  )
  const layer = memory.layers[0] as MemoryDataLayer
  expect(() => layer.reset([1, null] as never, [0, 1])).toThrow(
    /layer 'm' \(MemoryData\): data: the value at \[1\] is null/,
  )
  expect(() => layer.reset([1, 2], [0, '1'] as never)).toThrow(
    /layer 'm' \(MemoryData\): labels: the value at \[1\] is the text/,
  )
  const transformer = new Transformer({ data: [1, 3, 2, 2] })
  expect(() => transformer.setMean('data', [1, null, 3] as never)).toThrow(RistrettoError)
  memory.dispose()
})

it('NaN and infinities are numbers, typed arrays are as they are', async () => {
  net.feed('x', null as never)
  const values = [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1, 2]
  for (const given of [values, Float64Array.from(values), [values.slice(0, 2), values.slice(2, 4), values.slice(4)]]) {
    const { y } = await net.forward({ x: given })
    expect([...y.data]).toEqual(values)
  }
  expect(countOf([[1, 2], [3]])).toBe(-1)
  expect(countOf([1, [2]])).toBe(-1)
  const into = new Float32Array(3)
  copyValues(Uint8Array.of(7, 8), into, 1)
  expect([...into]).toEqual([0, 7, 8])
})

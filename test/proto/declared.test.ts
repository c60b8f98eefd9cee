/** A layer of somebody else with a message of its own, which no schema knows. */
import { expect, test } from 'vitest'
import { type Blob, Layer, Net, parseNet, printNet, registerLayer } from '../../lib/index.js'
import { readNetParameter, writeMessage } from '../../lib/proto/wire.js'
import { customLayer, L, NetSpec } from '../../lib/pycaffe/index.js'

const own = {
  shelf_param: {
    number: 8266799,
    height: { type: 'float', default: 2.5, number: 1 },
    boards: { type: 'uint32', repeated: true, number: 2 },
    wood: { type: ['OAK', 'PINE'], default: 'PINE', number: 3 },
    filler: { type: 'FillerParameter', number: 4 },
    note: { type: 'string' },
  },
} as const

/** Its top holds what it read. */
class ShelfLayer extends Layer {
  static override readonly param = own
  reshape(_bottom: Blob[], top: Blob[]) {
    top[0].reshape([4])
  }
  forward(_bottom: Blob[], top: Blob[]) {
    const { height, boards, wood, filler } = this.ownParam(own, 'shelf_param')
    top[0].dataArray.set([height, boards.length, wood === 'OAK' ? 1 : 0, filler?.value ?? -1])
  }
}
registerLayer('Shelf', ShelfLayer)

const text = (param: string) => `layer { name: "s" type: "Shelf" top: "y" ${param} }`
const values = async (net: Parameters<typeof Net.create>[0]) => [...(await (await Net.create(net)).forward()).y.data]

test('a prototxt may hold it: typed, with defaults', async () => {
  expect(await values(parseNet(text('')))).toEqual([2.5, 0, 0, -1])
  const written = 'shelf_param { height: 1 boards: [3, 4] boards: 5 wood: OAK filler { value: 7 } }'
  expect(await values(parseNet(text(written)))).toEqual([1, 3, 1, 7])
})

test('mistakes in it are found as in any other, with their place', () => {
  const wrong = (param: string) => () => parseNet(text(`shelf_param { ${param} }`))
  expect(wrong('hight: 1')).toThrow(/shelf_param has no field 'hight'; did you mean 'height'/)
  expect(wrong('boards: -1')).toThrow(/prototxt:1:.*boards/)
  expect(wrong('wood: BIRCH')).toThrow(/OAK, PINE/)
})

test('print and binary files keep it; what has no number is of prototxts alone', async () => {
  const net = parseNet(text('shelf_param { height: 1 boards: [3, 4] wood: OAK note: "left" }'))
  expect(parseNet(printNet(net))).toEqual(net)
  expect(printNet(net)).toContain('note: "left"')
  const read = readNetParameter(writeMessage('NetParameter', net))
  expect(read.layer?.[0]).toMatchObject({ shelf_param: { height: 1, boards: [3, 4], wood: 'OAK' } })
  expect(JSON.stringify(read)).not.toContain('left')
})

test('a NetSpec takes its fields flat', async () => {
  const n = new NetSpec()
  n.y = customLayer('Shelf')({ boards: [1, 2], wood: 'OAK' })
  n.z = L.Power(n.y, { scale: 2 })
  expect(n.toProto().layer?.[0]).toMatchObject({ type: 'Shelf', shelf_param: { boards: [1, 2], wood: 'OAK' } })
  expect((await (await Net.create(n.toProto())).forward()).z.data[1]).toBe(4)
})

test('the last declaration counts; what contradicts the schema is refused', () => {
  const declare = (param: (typeof Layer)['param']) =>
    registerLayer(
      'Other',
      class extends ShelfLayer {
        static override readonly param = param as typeof own
      },
    )
  declare({ other_param: { a: { type: 'int32' } } })
  declare({ other_param: { b: { type: 'int32' } } })
  expect(() => parseNet(text('other_param { a: 1 }'))).toThrow(/no field 'a'/)
  expect(parseNet(text('other_param { b: 1 }')).layer?.[0]).toMatchObject({ other_param: { b: 1 } })
  expect(() => declare({ pooling_param: { stride: { type: 'string' } } })).toThrow(
    /pooling_param is a message of the schema/,
  )
  declare({ pooling_param: { stride: { type: 'uint32' } } })
  expect(() => declare({ other_param: { number: 106 } })).toThrow(/number 106, which is that of convolution_param/)
  expect(() => declare({ other_param: { a: { type: 'integer' as 'int32' } } })).toThrow(/other_param.a has the type/)
  expect(() => declare({ missing_param: true })).toThrow(/the schema has no missing_param/)
})

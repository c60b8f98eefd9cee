/** Fields and messages that no schema knows: kept as they stand, given to whoever declares them. */
import { expect, test } from 'vitest'
import { type Blob, Layer, Net, parseNet, printNet, registerLayer } from '../../lib/index.js'
import { unknownFieldsOf } from '../../lib/proto/kept.js'
import { upgradeNet } from '../../lib/proto/upgrade.js'
import { readNetParameter, writeMessage } from '../../lib/proto/wire.js'

const text = `name: "n"
layer {
  name: "x" type: "Foreign" top: "y"
  strange_param {  # as it stands
    ratio: [0.50, 1]   deep < word: YES text: "a}\\"b" >
  }
  pooling_param { kernel_size: 2 wobble: 3 }
}
odd: -1
`

test('they stand in the message, and print writes them as they were', () => {
  const net = parseNet(text)
  const [layer] = net.layer!
  const strange = text.slice(text.indexOf('strange'), text.indexOf('  }\n') + 3)
  expect(unknownFieldsOf(layer)).toEqual([{ name: 'strange_param', text: strange }])
  expect(unknownFieldsOf(layer.pooling_param!)).toEqual([{ name: 'wobble', text: 'wobble: 3' }])
  expect(unknownFieldsOf(net)).toEqual([{ name: 'odd', text: 'odd: -1' }])
  const printed = printNet(net)
  for (const part of [strange, 'wobble: 3', 'odd: -1']) expect(printed).toContain(part)
  expect(parseNet(printed)).toEqual(net)
  expect(printNet(parseNet(printed))).toBe(printed)
  // nothing of it shows among the fields
  expect(JSON.stringify(net)).not.toContain('strange')
})

test('a model file keeps their text', () => {
  const net = parseNet(text)
  const read = readNetParameter(writeMessage('NetParameter', net))
  expect(printNet(read)).toBe(printNet(net))
  expect(read).toEqual(net)
})

test('layers of older forms keep theirs', () => {
  const { layer } = upgraded('layers { name: "p" type: FOREIGN odd_param { a: 1 } pooling_param { wobble: 3 } }')
  expect(layer![0]).toMatchObject({ name: 'p', type: 'FOREIGN' })
  expect(unknownFieldsOf(layer![0]).map(({ name }) => name)).toEqual(['odd_param'])
  expect(unknownFieldsOf(layer![0].pooling_param!)).toHaveLength(1)
})
const upgraded = (old: string) => readNetParameter(writeMessage('NetParameter', upgradeNet(parseNet(old))))

test('what a class declares after the text was read is a field of its layers', async () => {
  const net = parseNet('layer { name: "l" type: "Later" top: "y"\n later_param { size: 3 } }', { file: 'l.prototxt' })
  const wrong = parseNet('layer { name: "l" type: "Later" top: "y"\n later_param { size: -3 } }', {
    file: 'l.prototxt',
  })
  const own = { later_param: { size: { type: 'uint32', default: 1 }, more: { type: 'float', default: 0.5 } } } as const
  registerLayer(
    'Later',
    class extends Layer {
      static override readonly param = own
      reshape(_bottom: Blob[], top: Blob[]) {
        top[0].reshape([2])
      }
      forward(_bottom: Blob[], top: Blob[]) {
        const { size, more } = this.ownParam(own, 'later_param')
        top[0].dataArray.set([size, more])
      }
    },
  )
  expect([...(await (await Net.create(net)).forward()).y.data]).toEqual([3, 0.5])
  await expect(Net.create(wrong)).rejects.toThrow('l.prototxt:2: size cannot be')
})

test("a class may say itself what a fork's message holds; what it leaves out stays", async () => {
  const own = { psroi_pooling_param: { output_dim: { type: 'uint32', default: 7 }, mine: { type: 'string' } } } as const
  class PSROI extends Layer {
    static override readonly param = own
    reshape(_bottom: Blob[], top: Blob[]) {
      top[0].reshape([3])
    }
    forward(_bottom: Blob[], top: Blob[]) {
      const { output_dim, mine } = this.ownParam(own, 'psroi_pooling_param')
      top[0].dataArray.set([output_dim, this.param.psroi_pooling_param?.group_size ?? 0, mine?.length ?? 0])
    }
  }
  registerLayer('PSROIPoolingOfMine', PSROI)
  const net = (param: string) =>
    parseNet(`layer { name: "l" type: "PSROIPoolingOfMine" top: "y" psroi_pooling_param { ${param} } }`)
  const values = async (param: string) => [...(await (await Net.create(net(param))).forward()).y.data]
  expect(await values('group_size: 3')).toEqual([7, 3, 0])
  expect(await values('output_dim: 21 mine: "abcd"')).toEqual([21, 0, 4])
})

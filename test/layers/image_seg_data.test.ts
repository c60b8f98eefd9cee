import { describe, expect, test } from 'vitest'
import type { Net } from '../../lib/net.js'
import { colourOf, netOf, pairs, places, plane } from './segmentations.js'

const layer = (more = '', transform = '', tops = 'top: "data" top: "label" top: "data_dim"') =>
  `layer { name: "seg" type: "ImageSegData" ${tops}
  image_data_param { source: "list.txt" ${more} } ${transform && `transform_param { ${transform} }`} }`

const bytes = (text: string) => new Uint8Array(Buffer.from(text))

describe('ImageSegData', () => {
  test('PIXEL: the middle of picture and labels in TEST, and the sizes', async () => {
    const net = await netOf(layer('label_type: PIXEL', 'crop_height: 2 crop_width: 3 mean_value: 1'), pairs([4, 5]))
    await net.forward()
    expect(plane(net, 'label')).toEqual([
      [11, 12, 13],
      [21, 22, 23],
    ])
    expect(plane(net, 'data')).toEqual([
      [110, 111, 112],
      [120, 121, 122],
    ])
    // never more than what is cut out
    expect([net.blobs.data_dim.shape, [...net.blobs.data_dim.dataArray]]).toEqual([
      [1, 1, 1, 2],
      [2, 3],
    ])
    net.dispose()
  })

  test('smaller pictures are padded below and to the right: the mean, which leaves 0, and ignore_label', async () => {
    for (const [more, label] of [
      ['', 255],
      ['ignore_label: 11', 11],
    ] as const) {
      const net = await netOf(
        layer(`label_type: PIXEL ${more}`, 'crop_size: 3 mean_value: 104.008 mean_value: 1 mean_value: 2'),
        pairs([2, 2]),
      )
      await net.forward()
      expect(plane(net, 'label')).toEqual([
        [0, 1, label],
        [10, 11, label],
        [label, label, label],
      ])
      expect(plane(net, 'data', 0, 1)).toEqual([
        [100, 101, 0],
        [110, 111, 0],
        [0, 0, 0],
      ])
      expect(plane(net, 'data', 0, 0)[0][2]).toBe(0)
      expect([...net.blobs.data_dim.dataArray]).toEqual([2, 2])
      net.dispose()
    }
  })

  test('IMAGE: one label for all pixels; NONE: ignore_label; two tops or one will do', async () => {
    const files = { 'a.png': colourOf(places(2, 2)), 'list.txt': bytes('a.png 7\n') }
    const image = await netOf(layer('', 'crop_size: 3', 'top: "data" top: "label"'), files)
    await image.forward()
    expect(plane(image, 'label')).toEqual([
      [7, 7, 255],
      [7, 7, 255],
      [255, 255, 255],
    ])
    image.dispose()
    const none = await netOf(layer('label_type: NONE'), { ...files, 'list.txt': bytes('a.png\n') })
    await none.forward()
    expect(plane(none, 'label')).toEqual([
      [255, 255],
      [255, 255],
    ])
    none.dispose()
    const one = await netOf(layer('', '', 'top: "data"'), files)
    await one.forward()
    expect(plane(one, 'data')).toEqual([
      [0, 1],
      [10, 11],
    ])
    one.dispose()
  })

  test('scale_factors: one is drawn for each item; labels by the nearest', async () => {
    const net = await netOf(layer('label_type: PIXEL', 'scale_factors: 0.5 scale_factors: 2'), pairs([2, 4]), 'TRAIN')
    const seen = new Map<string, number[][]>()
    for (let i = 0; i < 12; i++) {
      await net.forward()
      seen.set(net.blobs.data.shape.join(), plane(net, 'label'))
    }
    expect([...seen.keys()].sort()).toEqual(['1,3,1,2', '1,3,4,8'])
    expect(seen.get('1,3,1,2')).toEqual([[0, 2]])
    expect(seen.get('1,3,4,8')![3]).toEqual([10, 10, 11, 11, 12, 12, 13, 13])
    net.dispose()
  })

  test('scaled, padded, cut and mirrored together in TRAIN, the same from the same seed, exact on resume', {
    tags: 'long',
  }, async () => {
    const files = pairs([6, 6], [3, 8])
    const text = layer(
      'label_type: PIXEL batch_size: 2 shuffle: true',
      'mirror: true crop_size: 5 scale_factors: 1 mean_value: 0',
    )
    const step = async (net: Net) => {
      await net.forward()
      for (const n of [0, 1])
        plane(net, 'label', n).forEach((row, y) => {
          row.forEach((label, x) => {
            expect(plane(net, 'data', n)[y][x]).toBe(label === 255 ? 0 : label + 100)
          })
        })
      return [...net.blobs.label.dataArray, ...net.blobs.data_dim.dataArray]
    }
    const net = await netOf(text, files, 'TRAIN', 3)
    const first = [await step(net), await step(net), await step(net)]
    const state = net.layers[0].saveState()!
    const next = [await step(net), await step(net)]
    const again = await netOf(text, files, 'TRAIN', 3)
    expect([await step(again), await step(again), await step(again)]).toEqual(first)
    again.layers[0].restoreState(state)
    expect([await step(again), await step(again)]).toEqual(next)
    for (const one of [net, again]) one.dispose()
  })

  test('what is refused, with layer, line and why', async () => {
    const files = pairs([4, 4])
    const refused = async (why: RegExp, more: string, transform = '', given: Record<string, Uint8Array> = files) =>
      expect(
        netOf(layer(more, transform), given, 'TRAIN').then(net => net.forward().finally(() => net.dispose())),
      ).rejects.toThrow(why)
    await refused(/layer 'seg' \(ImageSegData\): .*mean_file goes with pictures of one size/, '', 'mean_file: "m"')
    await refused(/has new_height 3 and new_width 0: give both/, 'new_height: 3')
    await refused(/ignore_label 256 is no label of a pixel: those are 0 to 255/, 'ignore_label: 256')
    await refused(/ignore_label -1 is no label/, 'ignore_label: -1')
    await refused(/has crop_height 3 and crop_width 0: give both/, 'label_type: PIXEL', 'crop_height: 3')
    await refused(
      /has crop_size and crop_height: give one/,
      'label_type: PIXEL',
      'crop_size: 3 crop_height: 3 crop_width: 3',
    )
    await refused(/scale_factors: 0 is no factor of a size/, 'label_type: PIXEL', 'scale_factors: 0')
    await refused(/scale_factors: 0\.1\d* makes 0×0 of 4×4/, 'label_type: PIXEL', 'scale_factors: 0.1')
    await refused(/makes 4000000×4000000 of 4×4/, 'label_type: PIXEL', 'scale_factors: 1000000')
    await refused(/list.txt:1: the label is no whole number of 0 to 255/, '')
    for (const label of ['256', '-1', '1.5'])
      await refused(/list.txt:1: the label is no whole number of 0 to 255/, '', '', { 'list.txt': bytes(`a ${label}`) })
    await refused(/list.txt:2: the line is not a picture, a space and a label/, '', '', {
      'list.txt': bytes('a.png 1\nb.png'),
    })
  })
})

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ndarray from 'ndarray'
import { savePixels } from 'ndarray-pixels'
import { afterAll, describe, expect, it } from 'vitest'
import { cropImage, decodeImage, importPixels, resizeImage, toPlanes } from '../../lib/data/image.js'
import { parseImageList } from '../../lib/data/image_list.js'
import { parseWindowList, placeWindow } from '../../lib/data/window_list.js'
import { EngineError, FormatError, NetError } from '../../lib/errors.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { createFiles } from '../../lib/system/files.js'
import { io, netOf } from './golden_io.js'

const folder = await mkdtemp(join(tmpdir(), 'images-'))
afterAll(() => rm(folder, { recursive: true }))

const pixels = await importPixels(() => import('ndarray-pixels'))

/** Writes a PNG whose R, G, B at (x, y) are what `color` says. */
async function writePng(
  name: string,
  width: number,
  height: number,
  color: (x: number, y: number) => number[],
): Promise<void> {
  const image = ndarray(new Uint8Array(width * height * 4), [width, height, 4], [4, 4 * width, 1])
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) [...color(x, y), 255].forEach((value, c) => image.set(x, y, c, value))
  await writeFile(join(folder, name), await savePixels(image, 'image/png'))
}

const netHere = (text: string, seed = 1) =>
  Net.create(parseNet(text), {
    phase: 'TRAIN',
    seed,
    engine: 'js',
    near: createFiles(undefined, join(folder, 'net.prototxt')),
  })

describe('image lists', () => {
  it('split lines at the last space', () => {
    expect(parseImageList('a b.png 3\r\nc.png -1\n\n', 'list')).toEqual({
      paths: ['a b.png', 'c.png'],
      labels: [3, -1],
      lines: [1, 2],
    })
    expect(() => parseImageList('a.png 1\nb.png', 'list')).toThrow(
      /list:2: the line is not a path, a space and a whole number/,
    )
    expect(() => parseImageList('\n', 'list')).toThrow(NetError)
  })
})

describe('images', () => {
  it('know grey from colour by their headers', async () => {
    const read = async (file: string) => decodeImage(new Uint8Array(await readFile(io(`images/${file}`))), pixels)
    expect((await read('g2.png')).channels).toBe(1)
    expect((await read('c0.png')).channels).toBe(3)
    expect((await read('j1.jpg')).channels).toBe(3)
  })

  it('that are none are refused', async () => {
    await expect(decodeImage(new Uint8Array([1, 2, 3, 4, 5]), pixels)).rejects.toThrow(FormatError)
    const cut = (await readFile(io('images/c0.png'))).subarray(0, 60)
    await expect(decodeImage(new Uint8Array(cut), pixels)).rejects.toThrow(/image\/png\) cannot be decoded/)
    await expect(importPixels(() => Promise.reject(new Error('not there')))).rejects.toThrow(EngineError)
  })

  it('crop and resize by hand-worked numbers', () => {
    const image = { channels: 1, height: 2, width: 4, data: Uint8Array.of(0, 100, 200, 40, 10, 20, 30, 50) }
    expect([...cropImage(image, 1, 0, 2, 2).data]).toEqual([100, 200, 20, 30])
    // half-pixel centres: every new pixel is the mean of a block of 2×2, rounded half up
    expect([...resizeImage(image, 1, 2).data]).toEqual([33, 80])
    expect(resizeImage(image, 2, 4)).toBe(image)
    const grey = toPlanes(
      { width: 1, height: 1, rgba: Uint8Array.of(255, 0, 0, 255), channels: 3, type: 'image/jpeg' },
      1,
    )
    expect([...grey.data]).toEqual([76])
  })
})

describe('ImageData', () => {
  const layer = (more: string, rest = '') =>
    `layer { name: "images" type: "ImageData" top: "data" top: "label" image_data_param { source: "list.txt" ${more} } ${rest} }`

  async function writeImages(n: number): Promise<void> {
    const lines: string[] = []
    for (let i = 0; i < n; i++) {
      await writePng(`image ${i}.png`, 4, 3, () => [i, 10 + i, 20 + i])
      lines.push(`image ${i}.png ${i}`)
    }
    await writeFile(join(folder, 'list.txt'), lines.join('\n'))
  }

  async function labelsOf(net: Net, batches: number): Promise<number[]> {
    const labels: number[] = []
    for (let i = 0; i < batches; i++) {
      const { data, label } = await net.forward()
      // planes B, G, R
      label.data.forEach((k, n) => {
        expect([data.get(n, 0, 2, 3), data.get(n, 1, 0, 0), data.get(n, 2, 1, 2)]).toEqual([20 + k, 10 + k, k])
      })
      labels.push(...label.data)
    }
    return labels
  }

  it('shuffles anew in every epoch, and goes on where a snapshot left it', async () => {
    await writeImages(7)
    const text = layer('batch_size: 3 shuffle: true')
    const net = await netHere(text)
    const labels = await labelsOf(net, 7)
    const epochs = [0, 7, 14].map(at => labels.slice(at, at + 7))
    for (const epoch of epochs) expect([...epoch].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(new Set(epochs.map(String)).size).toBe(3)

    const state = net.layers[0].saveState()!
    expect(state).toEqual({ item: 21, record: 0, epoch: 3 })
    const expected = await labelsOf(net, 4)
    const second = await netHere(text)
    second.layers[0].restoreState(state)
    expect(await labelsOf(second, 4)).toEqual(expected)
    for (const n of [net, second]) n.dispose()
  })

  it('says what is wrong', async () => {
    await writeImages(3)
    await expect(netHere(layer('new_height: 5'))).rejects.toThrow(
      /layer 'images' \(ImageData\): .* new_height 5 and new_width 0: give both/,
    )
    await expect(netHere(layer('', 'transform_param { crop_size: 4 }'))).rejects.toThrow(
      /image 0 \(line 1\) of list.txt: crop_size 4 is larger than the item \(3×3×4\)/,
    )
    await expect(netHere(layer('').replace('list.txt', 'none.txt'))).rejects.toThrow(/none.txt/)

    await writeFile(join(folder, 'list.txt'), 'image 0.png 0\nimage 1.png 1\ngone.png 2\n')
    const net = await netHere(layer('batch_size: 2'))
    await net.forward()
    await expect(net.forward()).rejects.toThrow(
      /layer 'images' \(ImageData\): image 2 \(line 3\) of list.txt: its file cannot be read \(ENOENT\)/,
    )
    await expect(net.forward()).rejects.toThrow(/image 2 \(line 3\)/)
    net.dispose()
  })

  it('reads images through `files` where there is no file system', async () => {
    await writeImages(2)
    const asked: string[] = []
    const files = async (path: string) => {
      asked.push(path)
      if (path === 'far/list') return new TextEncoder().encode('a.png 4\nb.png 5')
      const i = ['photos/a.png', 'photos/b.png'].indexOf(path)
      return i < 0 ? undefined : new Uint8Array(await readFile(join(folder, `image ${i}.png`)))
    }
    const text = layer('batch_size: 1 root_folder: "photos/"').replace('list.txt', 'far/list')
    const net = await Net.create(parseNet(text), { engine: 'js', files })
    expect([...(await net.forward()).label.data]).toEqual([4])
    expect((await net.forward()).data.get(0, 0, 0, 0)).toBe(21)
    expect((await net.forward()).label.get(0)).toBe(4)
    expect(asked).toContain('photos/b.png')
    net.dispose()
  })
})

describe('WindowData', () => {
  const windows = `# 0
w.png
3 8 10 3
2 0.9 1 1 4 4
1 0.6 0 0 9 7
0 0.1 5 2 8 6
# 1
v.png
3 8 10 1
0 0.2 0 0 3 3
`
  const layer = (more: string, transform = 'crop_size: 4') =>
    `layer { name: "w" type: "WindowData" top: "data" top: "label" window_data_param { source: "windows.txt" batch_size: 8 ${more} } transform_param { ${transform} } }`

  it('parses window files', () => {
    const { images, foreground, background } = parseWindowList(windows, 'windows.txt', 0.5, 0.5)
    expect(images).toEqual([
      { path: 'w.png', line: 2, shape: [3, 8, 10] },
      { path: 'v.png', line: 8, shape: [3, 8, 10] },
    ])
    expect([...foreground]).toEqual([0, 2, 1, 1, 4, 4, 0, 1, 0, 0, 9, 7])
    expect([...background]).toEqual([0, 0, 5, 2, 8, 6, 1, 0, 0, 0, 3, 3])
    expect(() => parseWindowList('# 0 a.png 3 8 10 2 1 0.9 0 0 1 1', 'w', 0.5, 0.5)).toThrow(
      /w:1: the file ends before a class of image 0/,
    )
    expect(() => parseWindowList('a.png', 'w', 0.5, 0.5)).toThrow(/w:1: something else stands for the # of image 0/)
    expect(() => parseWindowList('# 0 a.png 3 8 10 1 0 0.9 0 0 1 1', 'w', 0.5, 0.5)).toThrow(
      /w:1: a window reaches fg_threshold with the class of the background/,
    )
  })

  it('places windows with their context, padding what lies outside', () => {
    const image = { width: 10, height: 8 }
    const options = { crop: 4, pad: 0, square: false, flip: false }
    expect(placeWindow([1, 1, 4, 4], image, options)).toEqual({
      x: 1,
      y: 1,
      width: 4,
      height: 4,
      toWidth: 4,
      toHeight: 4,
      left: 0,
      top: 0,
    })
    // 4×4 grows by 4/(4−2) to 8×8 around (3, 3), from −1 to 7, 9 wide; one column and one row are outside, 4/9 of a
    // pixel of padding
    expect(placeWindow([1, 1, 4, 4], image, { ...options, pad: 1 })).toEqual({
      x: 0,
      y: 0,
      width: 8,
      height: 8,
      toWidth: 4,
      toHeight: 4,
      left: 0,
      top: 0,
    })
    // 8×2 made square around (9, 1): from 5 to 13 across, −3 to 5 down; mirrored, the 4 columns outside are on the left
    expect(placeWindow([5, 0, 12, 1], image, { ...options, square: true })).toMatchObject({
      x: 5,
      y: 0,
      width: 5,
      height: 6,
      left: 0,
      top: 1,
    })
    expect(placeWindow([5, 0, 12, 1], image, { ...options, square: true, flip: true })).toMatchObject({
      x: 5,
      left: 2,
      toWidth: 2,
      toHeight: 3,
    })
    expect(() => placeWindow([5, 5, 12, 6], image, options)).toThrow(
      /\(5, 5\) to \(12, 6\) does not lie in its image of 10×8/,
    )
  })

  it('draws background, then foreground windows, warped, with mean and scale', async () => {
    await writePng('w.png', 10, 8, (x, y) => [10 * x, 10 * y, 7])
    await writePng('v.png', 10, 8, () => [1, 2, 3])
    await writeFile(join(folder, 'windows.txt'), windows)
    const net = await netHere(
      layer('fg_fraction: 0.5', 'crop_size: 4 mean_value: 1 mean_value: 2 mean_value: 3 scale: 0.5'),
    )
    const { data, label } = await net.forward()
    expect(data.shape).toEqual([8, 3, 4, 4])
    expect([...label.data.subarray(0, 4)]).toEqual([0, 0, 0, 0])
    const seen = new Set<number>()
    for (let n = 0; n < 40; n++) {
      const batch = await net.forward()
      for (let i = 4; i < 8; i++) {
        const k = batch.label.get(i)
        seen.add(k)
        // window 2 is 4×4 at (1, 1) and is not resized; B − 1, G − 2, R − 3, halved
        if (k === 2) expect([0, 1, 2].map(c => batch.data.get(i, c, 1, 2))).toEqual([3, 9, 13.5])
      }
    }
    expect(seen).toEqual(new Set([1, 2]))
    net.dispose()
  })

  it('says what is wrong', async () => {
    await writeFile(join(folder, 'windows.txt'), windows)
    await expect(netHere(layer('', ''))).rejects.toThrow(/crop_size is missing/)
    await expect(netHere(layer('crop_mode: "round"'))).rejects.toThrow(/crop_mode 'round' is unknown/)
    await expect(netHere(layer('context_pad: 2'))).rejects.toThrow(/leaves nothing of crop_size 4/)
    await expect(netHere(layer('fg_threshold: 0.95'))).rejects.toThrow(/has no foreground windows/)
  })
})

describe('a grey Datum and a colour Datum', () => {
  it('become what force_gray asks for', async () => {
    const net = await netOf(
      'layer { name: "d" type: "Data" top: "data" data_param { source: "images_encoded_lmdb" batch_size: 4 backend: LMDB } transform_param { force_gray: true } }',
    )
    expect((await net.forward()).data.shape).toEqual([4, 1, 20, 24])
    net.dispose()
  })
})

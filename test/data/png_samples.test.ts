import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { importPixels } from '../../lib/data/image.js'
import { readLabels } from '../../lib/data/label_picture.js'
import { readPng } from '../../lib/data/png_samples.js'
import { FormatError } from '../../lib/errors.js'
import { pngOf } from './png_files.js'

const pixels = () => importPixels(() => import('ndarray-pixels'))

/** Anything that is not smooth, so that every filter has something to do. */
const noise = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * i * 31 + (i >> 3)) % 251)

describe('PNG samples', () => {
  it('are indices where there is a palette, of 1, 2, 4 and 8 bits', async () => {
    // a line of 5 pixels takes 1, 2, 3 and 5 bytes
    const lines: [number, number[], number[]][] = [
      [1, [0b10110000], [1, 0, 1, 1, 0]],
      [2, [0b11100100, 0b01000000], [3, 2, 1, 0, 1]],
      [4, [0x0f, 0x1e, 0x70], [0, 15, 1, 14, 7]],
      [8, [0, 255, 21, 3, 128], [0, 255, 21, 3, 128]],
    ]
    for (const [depth, line, expected] of lines) {
      const palette = [0, 0, 0, 255, 0, 0]
      const file = pngOf({ width: 5, height: 1, depth, colourType: 3, lines: [[0, ...line]], palette })
      const { kind, channels, data } = await readPng(file, 100)
      expect([kind, channels, ...data]).toEqual(['palette', 1, ...expected])
      expect([...(await readLabels(file, pixels)).data]).toEqual(expected)
    }
  })

  it('by hand: the five filters', async () => {
    const lines = [
      [0, 10, 20, 30],
      [1, 5, 1, 255], // left: 5, 6, 5 (mod 256)
      [2, 1, 1, 1], // above: 6, 7, 6
      [3, 1, 1, 1], // half of left and above: 4, 6, 7
      [4, 1, 1, 1], // Paeth: up 4 → 5; left 5, up 6, corner 4 → 7, nearest up 6 → 7; left 7, up 7, corner 6 → 8
    ]
    const { data } = await readPng(pngOf({ width: 3, height: 5, depth: 8, colourType: 0, lines }), 100)
    expect([...data]).toEqual([10, 20, 30, 5, 6, 5, 6, 7, 6, 4, 6, 7, 5, 7, 8])
  })

  it.each([
    ['grey', 1, {}],
    ['colour, filtered', 3, { adaptiveFiltering: true }],
    ['colour and alpha, interlaced', 4, { progressive: true }],
    ['grey, interlaced and filtered', 1, { progressive: true, adaptiveFiltering: true }],
  ] as const)('are what an encoder was given: %s', async (_, channels, options) => {
    for (const [width, height] of [
      [1, 1],
      [2, 3],
      [13, 9],
      [8, 17],
    ]) {
      const raw = noise(width * height * channels)
      const image = sharp(raw, { raw: { width, height, channels } })
      const file = await (channels === 1 ? image.toColourspace('b-w') : image).png(options).toBuffer()
      const read = await readPng(file, 1000)
      expect([read.width, read.height, read.channels]).toEqual([width, height, channels])
      expect(read.data).toEqual(raw)
    }
  })

  it('say what is wrong with a file', async () => {
    const grey = { width: 2, height: 1, depth: 8, colourType: 0, lines: [[0, 1, 2]] }
    const refused = async (file: Uint8Array, why: RegExp) => {
      await expect(readPng(file, 100)).rejects.toThrow(FormatError)
      await expect(readPng(file, 100)).rejects.toThrow(why)
    }
    await refused(Uint8Array.of(1, 2, 3), /3 bytes that are no PNG file/)
    await refused(pngOf({ ...grey, depth: 16, lines: [[0, 0, 1, 0, 2]] }), /16 bits a sample/)
    await refused(pngOf({ ...grey, depth: 3 }), /colour type 0, 3 bits: there is no such file/)
    await refused(pngOf({ ...grey, colourType: 5 }), /colour type 5/)
    await refused(pngOf({ ...grey, width: 0 }), /0×1 pixels/)
    await refused(pngOf({ ...grey, width: 50, height: 3 }), /50×3 pixels large, at most 100/)
    await refused(pngOf({ ...grey, lines: [[7, 1, 2]] }), /unknown filter 7/)
    await refused(pngOf({ ...grey, lines: [[0, 1]] }), /hold fewer than 3 bytes/)
    await refused(pngOf({ ...grey, lines: [[0, 1, 2, 3, 4, 5, 6]] }), /hold more than 3 bytes|are damaged/)
    const cut = pngOf(grey)
    await refused(cut.slice(0, 45), /ends within a chunk/)
    const damaged = pngOf(grey)
    damaged[45] ^= 0xff
    await refused(damaged, /its packed data are damaged/)
  })
})

describe('pictures of labels', () => {
  it('of grey: bytes as they are, fewer bits stretched to 0 … 255, alpha left out', async () => {
    const grey = { width: 2, height: 1, depth: 8, colourType: 0, lines: [[0, 7, 255]] }
    const values = async (file: Uint8Array) => [...(await readLabels(file, pixels)).data]
    expect(await values(pngOf(grey))).toEqual([7, 255])
    expect(await values(pngOf({ ...grey, depth: 1, lines: [[0, 0b01000000]] }))).toEqual([0, 255])
    expect(await values(pngOf({ ...grey, depth: 4, lines: [[0, 0x2f]] }))).toEqual([34, 255])
    expect(await values(pngOf({ ...grey, colourType: 4, lines: [[0, 7, 0, 9, 255]] }))).toEqual([7, 9])
    expect(await values(pngOf({ ...grey, colourType: 2, lines: [[0, 7, 7, 7, 9, 9, 9]] }))).toEqual([7, 9])
  })

  it('of other kinds are refused', async () => {
    const coloured = pngOf({ width: 2, height: 1, depth: 8, colourType: 2, lines: [[0, 7, 7, 7, 9, 9, 8]] })
    await expect(readLabels(coloured, pixels)).rejects.toThrow(/pixel 1 has the colour 9, 9, 8: labels are the indices/)
    const grey = sharp(noise(64), { raw: { width: 8, height: 8, channels: 1 } })
    await expect(readLabels(await grey.jpeg().toBuffer(), pixels)).rejects.toThrow(/JPEG file, which changes values/)
    const webp = await grey.webp({ lossless: true }).toBuffer()
    expect((await readLabels(webp, pixels)).data).toEqual(noise(64))
  })
})

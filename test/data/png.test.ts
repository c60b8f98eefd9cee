import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../lib/data/crc32.js'
import { decodePicture } from '../../lib/data/decode_picture.js'
import { decodeImage, importPixels, toPlanes } from '../../lib/data/image.js'
import { importDeflate } from '../../lib/data/inflate.js'
import { orientationOf } from '../../lib/data/orientation.js'
import { readPlainPng, writePng } from '../../lib/data/png.js'
import { FormatError } from '../../lib/errors.js'

const deflate = await importDeflate()
const decoders = { pixels: () => importPixels(), deflate }
const MOST = 2 ** 27

function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length)
  new DataView(bytes.buffer).setUint32(0, content.length)
  bytes.set(new TextEncoder().encode(type), 4)
  bytes.set(content, 8)
  new DataView(bytes.buffer).setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)))
  return bytes
}

/** A file whose rows are filtered bytes as they are given. */
function file(width: number, height: number, colour: number, rows: Uint8Array, extra: Uint8Array[] = [], depth = 8) {
  const header = new Uint8Array(13)
  new DataView(header.buffer).setUint32(0, width)
  new DataView(header.buffer).setUint32(4, height)
  header.set([depth, colour], 8)
  const packed = new Uint8Array(deflateSync(rows))
  const half = packed.length >> 1
  return Uint8Array.from(
    [
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
      chunk('IHDR', header),
      ...extra,
      chunk('IDAT', packed.subarray(0, half)),
      chunk('IDAT', packed.subarray(half)),
      chunk('IEND', new Uint8Array(0)),
    ].flatMap(part => [...part]),
  )
}

const noise = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * 2654435761) >>> 24)
const planesOf = async (bytes: Uint8Array, channels?: 1 | 3) =>
  toPlanes(await decodeImage(bytes, await importPixels()), channels)

describe('plain PNGs', () => {
  it.each([
    [1, 0],
    [3, 2],
    [2, 4],
    [4, 6],
  ])('of %i samples a pixel, each filter, are what the general decoder reads', async (samples, colour) => {
    const [width, height] = [7, 11]
    const stride = 1 + width * samples
    const rows = noise(height * stride)
    for (let y = 0; y < height; y++) rows[y * stride] = (y + 4) % 5
    const text = chunk('tEXt', new TextEncoder().encode('Title\0x'))
    const gamma = chunk('gAMA', Uint8Array.of(0, 0, 0x80, 0))
    const png = file(width, height, colour, rows, [text, gamma])
    const plain = readPlainPng(png, MOST, deflate)
    expect(plain).toEqual(await planesOf(png))
    for (const wanted of [1, 3] as const)
      expect(await decodePicture(png, wanted, decoders)).toEqual(await planesOf(png, wanted))
  })

  it('larger ones too, which Node unpacks', async () => {
    const png = file(
      100,
      80,
      2,
      noise(80 * 301).map((byte, i) => (i % 301 ? byte : i % 5)),
    )
    expect(readPlainPng(png, MOST, deflate)).toEqual(await planesOf(png))
  })

  it('all others are left to the general decoder', async () => {
    const rgb = sharp(Buffer.from(noise(300)), { raw: { width: 10, height: 10, channels: 3 } })
    const others = [
      await rgb.clone().png({ palette: true }).toBuffer(),
      await rgb.clone().png({ progressive: true }).toBuffer(),
      await rgb.clone().toColourspace('rgb16').png().toBuffer(),
      file(2, 2, 0, new Uint8Array(6), [chunk('tRNS', Uint8Array.of(0, 0))]),
      file(2, 2, 0, new Uint8Array(6), [chunk('iCCP', new Uint8Array(9))]),
    ]
    for (const bytes of others) expect(readPlainPng(new Uint8Array(bytes), MOST, deflate)).toBeUndefined()
    const bytes = new Uint8Array(others[0])
    expect(await decodePicture(bytes, 3, decoders)).toEqual(await planesOf(bytes, 3))
  })

  it('damaged ones as well, wherever they are cut or changed, and none of them is a mistake of ours', async () => {
    const png = file(
      6,
      5,
      2,
      noise(5 * 19).map((byte, i) => (i % 19 ? byte : 4)),
    )
    const whole = readPlainPng(png, MOST, deflate)
    expect(whole).toBeDefined()
    for (let cut = 0; cut < png.length - 12; cut++)
      expect(readPlainPng(png.slice(0, cut), MOST, deflate)).toBeUndefined()
    const data = png.indexOf(0x49, 40)
    let refused = 0
    for (let at = data + 4; at < png.length - 20; at++) {
      const changed = png.slice()
      changed[at] ^= 16
      const image = readPlainPng(changed, MOST, deflate)
      if (!image) refused++
      // bits of checksums of chunks and of names of chunks alone go unseen
      else expect(image).toEqual(whole)
    }
    expect(refused).toBeGreaterThan(40)
    expect(readPlainPng(png, 29, deflate)).toBeUndefined()
    expect(readPlainPng(file(2, 2, 0, Uint8Array.of(5, 0, 0, 0, 0, 0)), MOST, deflate)).toBeUndefined()
    expect(readPlainPng(file(2, 2, 0, new Uint8Array(7)), MOST, deflate)).toBeUndefined()
    expect(() => deflate.unpack(deflate.pack(noise(50)), 49, 'zlib')).toThrow(FormatError)
  })

  it.each([1, 3])('of %i channels are written so that others read them', async channels => {
    const smooth = Uint8Array.from({ length: channels * 20 * 30 }, (_, i) => (i >> 2) & 255)
    for (const data of [noise(channels * 600), smooth]) {
      const image = { channels, height: 20, width: 30, data }
      const png = writePng(image, deflate)
      expect(await planesOf(png)).toEqual(image)
      expect(readPlainPng(png, MOST, deflate)).toEqual(image)
    }
  })
})

describe('orientation', () => {
  const jpeg = async (orientation?: number) => {
    const raw = { width: 24, height: 16, channels: 3 } as const
    const pixels = Buffer.from(
      Uint8Array.from({ length: 24 * 16 * 3 }, (_, i) => ((i / 3) % 24) * 9 + Math.floor(i / 72)),
    )
    const image = sharp(pixels, { raw }).jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    return new Uint8Array(await (orientation ? image.withMetadata({ orientation }) : image).toBuffer())
  }

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i is applied as sharp applies it', async value => {
    const bytes = await jpeg(value)
    expect(orientationOf(bytes)?.value).toBe(value)
    const { data, info } = await sharp(bytes).rotate().raw().toBuffer({ resolveWithObject: true })
    const image = await decodePicture(bytes, 3, decoders)
    expect([image.width, image.height]).toEqual([info.width, info.height])
    const n = info.width * info.height
    expect(image.data).toEqual(Uint8Array.from({ length: 3 * n }, (_, i) => data[3 * (i % n) + 2 - Math.floor(i / n)]))
  })

  it('what says nothing, or nonsense, is upright', async () => {
    expect(orientationOf(await jpeg())).toBeUndefined()
    const bytes = await jpeg(6)
    const { at, littleEndian } = orientationOf(bytes)!
    bytes[littleEndian ? at : at + 1] = 9
    expect(orientationOf(bytes)).toBeUndefined()
    for (let cut = 0; cut < 60; cut++) expect(() => orientationOf(bytes.slice(0, cut))).not.toThrow()
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, describe, expect, it } from 'vitest'
import { openPicture } from '../../lib/data/decode_picture.js'
import { decodeImage, importPixels, toPlanes } from '../../lib/data/image.js'
import { FormatError } from '../../lib/errors.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { io } from '../../lib/pycaffe/index.js'
import { computeImageMean, convertImageset } from '../../lib/tools/index.js'

const folder = mkdtempSync(join(tmpdir(), 'ristretto-pictures-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** PNG's checksum; zlib's own came after Node 20. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc >>> 0
}

/** A PNG of one row. @param kind PNG's colour type: 0 grey, 6 RGBA */
function png(depth: 8 | 16, kind: 0 | 6, width: number, bytes: number[]): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(data.length)
    const body = Buffer.concat([Buffer.from(type), data])
    const check = Buffer.alloc(4)
    check.writeUInt32BE(crc32(body))
    return Buffer.concat([head, body, check])
  }
  const header = Buffer.from([0, 0, 0, width, 0, 0, 0, 1, depth, kind, 0, 0, 0])
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10])
  const data = deflateSync(Buffer.from([0, ...bytes]))
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))])
}

/** The blob that ImageData makes of a picture, and what io.loadImage gives. */
async function read(name: string, bytes: Uint8Array, isColor = true) {
  const file = join(folder, name)
  writeFileSync(file, bytes)
  writeFileSync(join(folder, 'list.txt'), `${file} 0\n`)
  const net = await Net.create(
    parseNet(`layer { name: "data" type: "ImageData" top: "data" top: "label"
      image_data_param { source: "${join(folder, 'list.txt')}" batch_size: 1 is_color: ${isColor} } }`),
    { engine: 'js' },
  )
  await net.forward()
  const { shape, dataArray } = net.blobs['data']
  const result = { shape: [...shape], values: [...dataArray], image: await io.loadImage(file) }
  net.dispose()
  return result
}

it('16 bits a channel: the upper eight count', async () => {
  const { shape, values, image } = await read('deep.png', png(16, 0, 3, [0x12, 0xff, 0x80, 0x01, 0xff, 0x00]), false)
  expect({ shape, values }).toEqual({ shape: [1, 1, 1, 3], values: [0x12, 0x80, 0xff] })
  expect([...image.data].map(value => Math.round(255 * value))).toEqual([0x12, 0x80, 0xff].flatMap(v => [v, v, v]))
})

it('alpha is left out, and the colour below it stays as it is in the file', async () => {
  const { shape, values, image } = await read('alpha.png', png(8, 6, 2, [200, 100, 50, 0, 200, 100, 50, 128]))
  // planes B, G, R
  expect({ shape, values }).toEqual({ shape: [1, 3, 1, 2], values: [50, 50, 100, 100, 200, 200] })
  expect(image.shape).toEqual([1, 2, 3])
})

/** 16 × 8, red at the top left, with a number for how the camera was held. */
async function photograph(orientation?: number): Promise<Uint8Array> {
  const raw = { width: 16, height: 8, channels: 3 } as const
  const pixels = Buffer.alloc(16 * 8 * 3, 20)
  for (let y = 0; y < 4; y++) for (let x = 0; x < 8; x++) pixels[3 * (16 * y + x)] = 230
  const image = sharp(pixels, { raw })
  return (orientation ? image.withMetadata({ orientation }) : image).jpeg({ quality: 100 }).toBuffer()
}

describe('EXIF: a photograph is seen upright, by whatever reads it', () => {
  // the corner where the red is: rows and columns of the picture as it was seen
  const seen = [
    [1, 8, 16, 0, 0],
    [2, 8, 16, 0, 1],
    [3, 8, 16, 1, 1],
    [4, 8, 16, 1, 0],
    [5, 16, 8, 0, 0],
    [6, 16, 8, 0, 1],
    [7, 16, 8, 1, 1],
    [8, 16, 8, 1, 0],
  ] as const
  it.each(seen)('orientation %i', async (orientation, height, width, bottom, right) => {
    const jpeg = await photograph(orientation)
    expect((await sharp(jpeg).metadata()).orientation).toBe(orientation)
    const { shape, values, image } = await read('turned.jpg', jpeg)
    expect(shape).toEqual([1, 3, height, width])
    expect(image.shape).toEqual([height, width, 3])
    const corner = (y: number, x: number) => {
      const place = y * (height - 1) * width + x * (width - 1)
      // B, G, R
      expect(values[2 * height * width + place] > 128).toBe(image.data[3 * place] > 0.5)
      return values[2 * height * width + place] > 128
    }
    for (const y of [0, 1]) for (const x of [0, 1]) expect(corner(y, x)).toBe(y === bottom && x === right)
  })

  it('in databases: converted, and stored as the file is', async () => {
    writeFileSync(join(folder, 'photo.jpg'), await photograph(6))
    for (const encoded of [false, true]) {
      const output = join(folder, `photo_${encoded}`)
      const list = [{ path: 'photo.jpg', label: 0 }]
      await convertImageset({ root: folder, list, output, encoded })
      const net = await Net.create(
        parseNet(
          `layer { name: "d" type: "Data" top: "x" top: "l" data_param { source: "${output}" batch_size: 1 backend: LMDB } }`,
        ),
        { engine: 'js' },
      )
      const { x } = await net.forward()
      expect(x.shape).toEqual([1, 3, 16, 8])
      expect([x.get(0, 2, 0, 7) > 128, x.get(0, 2, 0, 0) > 128]).toEqual([true, false])
      expect((await computeImageMean(output)).blob.height).toBe(16)
      net.dispose()
    }
  })
})

it('plain PNGs need no package, and give what the general decoder gives', async () => {
  const raw = { width: 5, height: 3, channels: 3 } as const
  const values = Buffer.from(Array.from({ length: 45 }, (_, i) => (i * 37) % 256))
  const file = await sharp(values, { raw }).png().toBuffer()
  const general = toPlanes(await decodeImage(file, await importPixels()), 3)
  const nobody = () => Promise.reject(new Error('no package is asked for'))
  for (const channels of [3, 1] as const)
    expect((await openPicture(file, nobody)).planes(channels)).toEqual(
      toPlanes(await decodeImage(file, await importPixels()), channels),
    )
  expect([...(await read('plain.png', file)).values]).toEqual([...general.data])
})

it('a file that is no picture of a known kind is named, and what it is instead', async () => {
  const iso = (brand: string) =>
    Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from(`ftyp${brand}`), Buffer.alloc(40)])
  for (const [name, bytes, what] of [
    [
      'phone.jpg',
      iso('heic'),
      /phone\.jpg: 52 bytes that are no PNG.*: this is a HEIC picture.*; save it as PNG or JPEG$/,
    ],
    ['web.jpg', iso('avif'), /: this is an AVIF picture; save it/],
    ['scan.jpg', Buffer.from('II*\0rest of it'), /: this is a TIFF picture; save it/],
    ['drawing.png', Buffer.from('<svg xmlns="x"/>'), /: this is an SVG drawing, or other XML; save it/],
    ['empty.jpg', Buffer.alloc(0), /empty\.jpg: 0 bytes that are no PNG.*: the file is empty$/],
    ['text.jpg', Buffer.from('hello'), /text\.jpg: 5 bytes that are no PNG, JPEG or other known image$/],
  ] as const) {
    const file = join(folder, name)
    writeFileSync(file, bytes)
    await expect(io.loadImage(file)).rejects.toThrow(what)
    await expect(io.loadImage(file)).rejects.toBeInstanceOf(FormatError)
  }
})

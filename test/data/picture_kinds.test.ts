import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, expect, it } from 'vitest'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { io } from '../../lib/pycaffe/index.js'

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

it('EXIF: a picture that says it lies on its side stays as its pixels are', async () => {
  const raw = { width: 4, height: 2, channels: 3 } as const
  const plain = sharp(Buffer.alloc(24, 90), { raw })
  const jpeg = await plain.withMetadata({ orientation: 6 }).jpeg().toBuffer()
  expect((await sharp(jpeg).metadata()).orientation).toBe(6)
  const { shape, image } = await read('turned.jpg', jpeg)
  expect(shape).toEqual([1, 3, 2, 4])
  expect(image.shape).toEqual([2, 4, 3])
})

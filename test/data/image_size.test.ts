import sharp from 'sharp'
import { expect, test } from 'vitest'
import { decodeImage, imageSize, MOST_PIXELS } from '../../lib/data/image.js'
import { FormatError } from '../../lib/errors.js'

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: { r: 200, g: 100, b: 50 } } })

const kinds = ['png', 'jpeg', 'gif', 'webp'] as const

test.each(kinds)('the size in the header of a %s is the picture’s', async kind => {
  for (const [width, height] of [
    [1, 1],
    [7, 3],
    [300, 1000],
  ])
    expect(imageSize(await picture(width, height)[kind]().toBuffer())).toEqual([width, height])
})

test('and in that of a lossless WebP, one with transparency, and a bitmap', async () => {
  expect(imageSize(await picture(300, 70).webp({ lossless: true }).toBuffer())).toEqual([300, 70])
  const clear = picture(300, 70).ensureAlpha(0.5).webp()
  expect(imageSize(await clear.toBuffer())).toEqual([300, 70])
  // rows of a bitmap may be counted from the top, as a negative height
  const bitmap = Buffer.alloc(54)
  bitmap.write('BM')
  bitmap.writeInt32LE(640, 18)
  bitmap.writeInt32LE(-480, 22)
  expect(imageSize(bitmap)).toEqual([640, 480])
})

test('a header that is cut off says nothing', async () => {
  for (const kind of kinds) {
    const whole = await picture(20, 10)[kind]().toBuffer()
    for (let length = 1; length < 24; length++) expect(imageSize(whole.subarray(0, length)).length).toBe(2)
  }
})

test('a picture of too many pixels is refused before it is decoded', async () => {
  const never = {
    getPixels() {
      throw new Error('it was decoded')
    },
  }
  const png = await picture(20, 10).png().toBuffer()
  png.writeUInt32BE(16000, 16)
  png.writeUInt32BE(16000, 20)
  const refused = decodeImage(png, never)
  await expect(refused).rejects.toThrow(FormatError)
  await expect(refused).rejects.toThrow(
    `this image (${png.length} bytes, image/png) is 16000×16000 pixels large, at most ${MOST_PIXELS} are decoded`,
  )
  await expect(decodeImage(png, never, 16000 * 16000)).rejects.toMatchObject({ cause: { message: 'it was decoded' } })
})

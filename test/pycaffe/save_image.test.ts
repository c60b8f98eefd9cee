import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Blob } from '../../lib/blob.js'
import { RistrettoError } from '../../lib/errors.js'
import { encodePicture, loadImage, saveImage } from '../../lib/pycaffe/index.js'
import { ndarrayOf } from '../../lib/system/ndarrays.js'
import { encodeLayerPicture, layerPicture } from '../../lib/tools/index.js'
import { temporaryFolder } from '../cli/helpers.js'

const folder = temporaryFolder()

test('what saveImage writes, loadImage reads', async () => {
  for (const channels of [1, 3]) {
    const values = Float32Array.from({ length: 2 * 3 * channels }, (_, i) => i / (6 * channels - 1))
    const file = join(folder, `${channels}.png`)
    await saveImage(file, ndarrayOf(values, [2, 3, channels]))
    const { data, shape } = await loadImage(file, channels === 3)
    expect(shape).toEqual([2, 3, channels])
    for (const [i, value] of values.entries()) expect(data[i]).toBeCloseTo(value, 2)
  }
  const jpg = join(folder, 'a.JPG')
  await saveImage(jpg, ndarrayOf(new Float32Array(3 * 64).fill(2), [8, 8, 3]))
  expect(readFileSync(jpg).subarray(0, 2)).toEqual(Buffer.of(0xff, 0xd8))
})

test('pixels of bytes, values with a shape, and blobs as layerPicture draws them', async () => {
  const file = join(folder, 'drawn.png')
  const bytes = Uint8Array.of(0, 51, 102, 153, 204, 255)
  await saveImage(file, { data: bytes, shape: [2, 3, 1] })
  const { data } = await loadImage(file, false)
  expect([...data].map(value => Math.round(255 * value))).toEqual([...bytes])
  await saveImage(file, { data: [0, 0.2, 0.4, 0.6, 0.8, 2], shape: [2, 3, 1] })
  expect([...(await loadImage(file, false)).data]).toEqual([...data])
  const blob = new Blob([2, 3, 4, 5])
  blob.dataArray.forEach((_, i, values) => {
    values[i] = Math.sin(i)
  })
  const drawn = layerPicture(blob)
  expect(await encodePicture(blob)).toEqual(await encodeLayerPicture(drawn))
  expect(await encodePicture(drawn)).toEqual(await encodeLayerPicture(drawn))
})

test.each([
  [null, 'null'],
  ['x.png', 'a string'],
  [{ data: [1, 2, 3], shape: [2, 2, 1] }, 'an object'],
  [{ data: [1] }, 'an object'],
])('refuses what is no picture: %j', async (picture, named) => {
  const refused = saveImage(join(folder, 'a.png'), picture as never)
  await expect(refused).rejects.toThrow(RistrettoError)
  await expect(refused).rejects.toThrow(new RegExp(`a picture is an ndarray, a Blob, .*, not ${named}$`))
})

test('refuses other endings and shapes', async () => {
  const grey = ndarrayOf(new Float32Array(4), [2, 2, 1])
  await expect(saveImage(join(folder, 'a.gif'), grey)).rejects.toThrow(/writes \.png and \.jpg files, not '.*a\.gif'/)
  const two = ndarrayOf(new Float32Array(8), [2, 2, 2])
  await expect(saveImage(join(folder, 'a.png'), two)).rejects.toThrow(/H × W × 1 or 3, not 2×2×2/)
})

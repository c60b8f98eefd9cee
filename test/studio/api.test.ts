/** The contract as it travels: frames, routes, their documents. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { packFrame, unpackFrame, withBase64 } from '../../lib/studio/api/frame.js'
import { openApi } from '../../lib/studio/api/openapi.js'
import { routes } from '../../lib/studio/api/routes.js'
import { studioApi } from '../../scripts/studio_api.js'

test('a frame gives back plain data with its bytes, and refuses what does not fit', () => {
  const value = { a: [1, 'ü', null], rows: [{ pixels: new Uint8Array([1, 2, 3]) }, { pixels: new Uint8Array(0) }] }
  const frame = packFrame(value)
  expect(unpackFrame(frame)).toEqual(value)
  // a view into something larger
  const larger = new Uint8Array(frame.length + 7)
  larger.set(frame, 7)
  expect(unpackFrame(larger.subarray(7))).toEqual(value)
  expect(JSON.parse(withBase64(value)).rows[0].pixels).toBe('AQID')
  for (const length of [0, 3, 4, 10, frame.length - 1])
    expect(() => unpackFrame(frame.subarray(0, length)), `${length}`).toThrow()
  const sly = new TextEncoder().encode('{"$bytes":[-4,8]}')
  expect(() => unpackFrame(new Uint8Array([sly.length, 0, 0, 0, ...sly, 0, 0, 0, 0, 0]))).toThrow(/does not have/)
})

test('every route is in the OpenAPI document and in docs/studio-api.md, which is as the table is now', async () => {
  const document = openApi('1.2.3') as { paths: Record<string, Record<string, { operationId: string }>> }
  const described = Object.values(document.paths).flatMap(path =>
    Object.values(path).map(({ operationId }) => operationId),
  )
  expect(new Set(described).size).toBe(described.length)
  expect(described).toEqual(
    expect.arrayContaining([...routes.map(({ name }) => name), 'listen', 'beginUpload', 'uploadPart']),
  )
  expect(
    readFileSync(new URL('../../docs/studio-api.md', import.meta.url), 'utf8'),
    'npx tsx scripts/studio_api.ts',
  ).toBe(await studioApi())
})

test('no two routes have one address', () => {
  const addresses = routes.map(({ method, path }) => `${method} ${path}`)
  expect(new Set(addresses).size).toBe(addresses.length)
})

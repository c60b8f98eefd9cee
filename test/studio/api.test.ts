/** The contract as it travels: frames, routes, their documents. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { packFrame, unpackFrame, withBase64 } from '../../lib/studio/api/frame.js'
import type { JobKind } from '../../lib/studio/api/index.js'
import { openApi } from '../../lib/studio/api/openapi.js'
import { routes } from '../../lib/studio/api/routes.js'
import { checkForm } from '../../lib/studio/api/schemas.js'
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

type Schema = Readonly<Record<string, unknown>>

/** Whether a value is what a JSON Schema says, as far as the document goes; a keyword that is not known here throws. */
function fits(schema: Schema, value: unknown, schemas: Readonly<Record<string, Schema>>): boolean {
  const has = (key: string) => value !== null && typeof value === 'object' && Object.hasOwn(value, key)
  const inner = (one: unknown, at: unknown) => fits(one as Schema, at, schemas)
  const size = typeof value === 'string' ? value.length : (value as unknown[])?.length
  const keywords: Record<string, (given: never) => boolean> = {
    $ref: (path: string) => inner(schemas[path.slice('#/components/schemas/'.length)], value),
    anyOf: (options: Schema[]) => options.some(option => inner(option, value)),
    const: (only: unknown) => value === only,
    enum: (all: unknown[]) => all.includes(value),
    type: (type: string) =>
      type === 'array'
        ? Array.isArray(value)
        : type === 'integer'
          ? Number.isSafeInteger(value)
          : type === 'object'
            ? value !== null && typeof value === 'object' && !Array.isArray(value)
            : typeof value === type,
    required: (names: string[]) => names.every(has),
    properties: (entries: Record<string, Schema>) =>
      Object.entries(entries).every(([name, entry]) => !has(name) || inner(entry, (value as Schema)[name])),
    additionalProperties: (rest: Schema | false) =>
      Object.entries(value as Schema).every(
        ([name, one]) =>
          Object.hasOwn((schema['properties'] ?? {}) as object, name) || (rest !== false && inner(rest, one)),
      ),
    propertyNames: (names: Schema) => Object.keys(value as Schema).every(name => inner(names, name)),
    items: (item: Schema) => (value as unknown[]).every(one => inner(item, one)),
    minItems: (least: number) => size >= least,
    maxItems: (most: number) => size <= most,
    minLength: (least: number) => size >= least,
    maxLength: (most: number) => size <= most,
    minimum: (least: number) => (value as number) >= least,
    maximum: (most: number) => (value as number) <= most,
    exclusiveMinimum: (bound: number) => (value as number) > bound,
    pattern: (pattern: string) => new RegExp(pattern).test(value as string),
  }
  // the type first: the others may take it for granted
  const names = Object.keys(schema).sort((a, b) => Number(b === 'type') - Number(a === 'type'))
  return names.every(name => keywords[name](schema[name] as never))
}

describe('the forms in the OpenAPI document', () => {
  const { components, paths } = openApi('1.2.3') as {
    components: { schemas: Record<string, Schema> }
    paths: Record<string, Record<string, { requestBody: { content: Record<string, { schema: Schema }> } }>>
  }
  const { schema } = paths['/api/jobs']['post'].requestBody.content['application/json']
  const ID = '20261129-0131-k7f3'
  const dataset = { name: 'd', source: { from: 'folder', place: { path: '/photos' } } }
  const solver = { type: 'SGD', rate: 0.1, policy: { policy: 'step', gamma: 0.1, share: [0.3, 0.5] } }
  const model = { name: 'm', dataset: ID, net: 'layer {}', epochs: 1, solver }
  const accepted: [JobKind, unknown][] = [
    ['dataset', dataset],
    ['dataset', { ...dataset, width: 28, height: 28, gray: true, val: 0.5, resize: 'half-crop', encode: 'png' }],
    [
      'dataset',
      { name: 'd', source: { from: 'lists', place: { upload: 'a'.repeat(16) }, train: 'a.txt', val: 'b.txt' } },
    ],
    ['model', model],
    ['model', { ...model, batch: [8, 16], layers: { 'blank.ts': '' }, weights: { job: ID, iter: 3 }, threads: 2 }],
    ['evaluation', { model: ID, on: { set: 'val' } }],
    ['evaluation', { model: ID, on: { pictures: { path: '/photos' } } }],
    ['pretrained', { name: 'p', source: { archive: { path: '/model.zip' } } }],
    ['pretrained', { name: 'p', source: { net: 'layer {}', weights: { path: '/net.caffemodel' } } }],
  ]
  const refused: [JobKind, unknown][] = [
    ['dataset', {}],
    ['dataset', model],
    ['dataset', { ...dataset, colour: true }],
    ['dataset', { ...dataset, val: 1.5 }],
    ['dataset', { ...dataset, width: 2.5 }],
    ['dataset', { name: 'd', source: { from: 'folder', path: '/photos' } }],
    ['model', { ...model, dataset: 'photos' }],
    ['model', { ...model, batch: [] }],
    ['model', { ...model, layers: { '../a.ts': '' } }],
    ['model', { ...model, solver: { ...solver, type: 'LBFGS' } }],
    ['evaluation', { model: ID, on: {} }],
    ['pretrained', { name: '', source: { archive: { path: '/model.zip' } } }],
  ]
  test.each(accepted)('take a %s that a server takes: %j', (kind, form) => {
    expect(() => checkForm(kind, form)).not.toThrow()
    expect(fits(schema, { kind, form }, components.schemas)).toBe(true)
  })
  test.each(refused)('refuse a %s that a server refuses: %j', (kind, form) => {
    expect(() => checkForm(kind, form)).toThrow()
    expect(fits(schema, { kind, form }, components.schemas)).toBe(false)
  })
})

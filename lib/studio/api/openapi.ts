import type { GenericSchema } from 'valibot'
import { FRAME } from './frame.js'
import { type Route, routes } from './routes.js'
import { forms } from './schemas.js'

type Schema = Record<string, unknown>

/** The parts of a valibot schema that say what it takes. */
interface Described {
  readonly type: string
  readonly kind: string
  readonly pipe?: readonly Described[]
  readonly requirement?: unknown
  readonly wrapped?: Described
  readonly entries?: Readonly<Record<string, Described>>
  readonly item?: Described
  readonly key?: Described
  readonly value?: Described
  readonly options?: readonly unknown[]
  readonly literal?: unknown
}

/** The checks of a pipe as JSON Schema says them. */
const CHECKS: Readonly<Record<string, (requirement: unknown, type: unknown) => Schema>> = {
  min_length: (least, type) => ({ [type === 'array' ? 'minItems' : 'minLength']: least }),
  max_length: (most, type) => ({ [type === 'array' ? 'maxItems' : 'maxLength']: most }),
  min_value: least => ({ minimum: least }),
  max_value: most => ({ maximum: most }),
  gt_value: bound => ({ exclusiveMinimum: bound }),
  safe_integer: () => ({ type: 'integer' }),
  regex: pattern => ({ pattern: (pattern as RegExp).source }),
}

/** A valibot schema as JSON Schema: of what it takes, before anything is made of it. */
export function jsonSchema(given: GenericSchema): Schema {
  return schemaOf(given as unknown as Described)
}

function schemaOf(schema: Described): Schema {
  if (!schema.pipe) return plain(schema)
  const [first, ...rest] = schema.pipe
  const base = plain(first)
  for (const step of rest) Object.assign(base, CHECKS[step.type]?.(step.requirement, base['type']))
  return base
}

function plain(schema: Described): Schema {
  switch (schema.type) {
    case 'string':
    case 'number':
    case 'boolean':
      return { type: schema.type }
    case 'optional':
      return schemaOf(schema.wrapped!)
    case 'literal':
      return { const: schema.literal }
    case 'picklist':
      return { enum: schema.options }
    case 'array':
      return { type: 'array', items: schemaOf(schema.item!) }
    case 'record':
      return { type: 'object', propertyNames: schemaOf(schema.key!), additionalProperties: schemaOf(schema.value!) }
    case 'instance':
      return { type: 'string', contentEncoding: 'base64', description: `bytes; only in a body of the type ${FRAME}` }
    case 'union':
    case 'variant':
      return { anyOf: (schema.options as Described[]).map(schemaOf) }
    case 'strict_object': {
      const entries = Object.entries(schema.entries!)
      const required = entries.filter(([, entry]) => entry.type !== 'optional').map(([name]) => name)
      return {
        type: 'object',
        properties: Object.fromEntries(entries.map(([name, entry]) => [name, schemaOf(entry)])),
        ...(required.length ? { required } : {}),
        additionalProperties: false,
      }
    }
    default:
      return {}
  }
}

/** Routes that are no method of Studio but parts of one. */
const OTHERS: Readonly<Record<string, Record<string, Schema>>> = {
  '/api/events': {
    get: {
      operationId: 'listen',
      summary: 'Everything that happens, as text/event-stream; from the event after `after` on.',
      parameters: [{ name: 'after', in: 'query', schema: { type: 'integer' } }],
      responses: { 200: { description: 'StudioEvent, one a block', content: { 'text/event-stream': {} } } },
    },
  },
  '/api/uploads': {
    post: {
      operationId: 'beginUpload',
      summary: 'Begin an upload of files, sent one after the other in parts of the size that the answer says.',
      requestBody: json({
        type: 'object',
        properties: {
          files: {
            type: 'array',
            items: { type: 'object', properties: { path: { type: 'string' }, bytes: { type: 'integer' } } },
          },
        },
      }),
      responses: { 201: { description: '{ upload: string; part: number; received: number }' } },
    },
  },
  '/api/uploads/{upload}': {
    get: {
      operationId: 'uploadState',
      summary: 'How many parts of an upload have come.',
      parameters: [inPath('upload')],
      responses: { 200: { description: '{ upload: string; part: number; received: number }' } },
    },
  },
  '/api/uploads/{upload}/parts/{part}': {
    put: {
      operationId: 'uploadPart',
      summary: 'A part, in order from 0 on; one that has come already is taken as it is.',
      parameters: [inPath('upload'), inPath('part')],
      requestBody: { required: true, content: { 'application/octet-stream': {} } },
      responses: { 200: { description: '{ upload: string; part: number; received: number }' } },
    },
  },
  '/api/openapi.json': {
    get: { operationId: 'openapi', summary: 'What you read here', responses: { 200: { description: 'OpenAPI 3.1' } } },
  },
}

function json(schema: Schema): Schema {
  return { required: true, content: { 'application/json': { schema } } }
}
function inPath(name: string): Schema {
  return { name, in: 'path', required: true, schema: { type: 'string' } }
}

/** `DatasetForm` of `dataset`, as the type is called. */
const formName = (kind: string): string => `${kind[0].toUpperCase()}${kind.slice(1)}Form`

/** The forms of all kinds of jobs, by the names of their types. */
const formSchemas = (): Record<string, Schema> =>
  Object.fromEntries(Object.entries(forms).map(([kind, form]) => [formName(kind), jsonSchema(form)]))

/** What is sent to make a job: its kind says which form it is. */
const creationSchema = (): Schema => ({
  anyOf: Object.keys(forms).map(kind => ({
    type: 'object',
    properties: { kind: { const: kind }, form: { $ref: `#/components/schemas/${formName(kind)}` } },
    required: ['kind', 'form'],
    additionalProperties: false,
  })),
})

function operation(route: Route): Schema {
  const { name, summary, path, query, body, answer, as } = route
  const names = [...path.matchAll(/:(\w+)/g)].map(match => match[1])
  const { properties = {}, required = [] } = query ? jsonSchema(query) : {}
  const parameters = [
    ...names.map(inPath),
    ...Object.entries(properties as Record<string, Schema>).map(([name, schema]) => ({
      name,
      in: 'query',
      required: (required as string[]).includes(name),
      schema,
    })),
  ]
  const type = as === 'png' ? 'image/png' : 'application/json'
  const picture = { 'image/*': {}, 'application/octet-stream': {} }
  const schema = body && (name === 'create' ? creationSchema() : jsonSchema(body))
  const content = schema && {
    'application/json': { schema },
    ...(as === 'frame' ? { [FRAME]: { schema } } : {}),
    ...(name === 'testOne' ? picture : {}),
  }
  const done =
    answer === undefined
      ? { 204: { description: 'done' } }
      : { [name === 'create' ? 201 : 200]: { description: answer, content: { [type]: {} } } }
  return {
    operationId: name,
    summary,
    ...(parameters.length ? { parameters } : {}),
    ...(content ? { requestBody: { required: true, content } } : {}),
    responses: { ...done, default: { $ref: '#/components/responses/refused' } },
  }
}

/** The table of routes as a document of OpenAPI 3.1 */
export function openApi(version: string): Schema {
  const paths: Record<string, Record<string, Schema>> = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] ??= {}
    paths[path][route.method.toLowerCase()] = operation(route)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ristretto Studio',
      version,
      description: 'Types of the answers are those that ristretto/studio exports.',
    },
    security: [{ token: [] }],
    paths: { ...paths, ...OTHERS },
    components: {
      schemas: formSchemas(),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      responses: {
        refused: {
          description: 'Why it was not done; nothing is half done.',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                properties: {
                  message: { type: 'string' },
                  faults: {
                    type: 'array',
                    items: {
                      type: 'object',
                      properties: { path: { type: 'string' }, message: { type: 'string' }, line: { type: 'integer' } },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  }
}

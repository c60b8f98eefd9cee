import { readdirSync, readFileSync } from 'node:fs'
import type protobuf from 'protobufjs'
import { protoRoot } from '../../scripts/proto_root.js'

const GOLDEN = new URL('../golden/', import.meta.url)

/** A file of the golden data as bytes on a buffer of its own. */
export function goldenBytes(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(path, GOLDEN)))
}

export function goldenText(path: string): string {
  return readFileSync(new URL(path, GOLDEN), 'utf8')
}

/** Paths of the golden files whose name ends so. */
export function goldenFiles(end: string): string[] {
  return (readdirSync(GOLDEN, { recursive: true }) as string[]).filter(path => path.endsWith(end)).sort()
}

/** Nets that Caffe refuses while reading the text. */
const UNREADABLE = new Set(['unknown_field', 'bad_enum'])

/** Every prototxt of the golden data: files, and the strings inside the layer and rejection cases. */
export function goldenPrototxts(): { name: string; text: string; solver: boolean }[] {
  const files = goldenFiles('.prototxt').map(name => ({
    name,
    text: goldenText(name),
    solver: /solver_|solver\./.test(name),
  }))
  const layers = goldenFiles('.json').filter(path => path.startsWith('layers/'))
  const cases = layers.flatMap(name => {
    const parsed = JSON.parse(goldenText(name)) as { cases?: { name: string; prototxt: string }[] }
    return (parsed.cases ?? []).map(item => ({ name: `${name} ${item.name}`, text: item.prototxt, solver: false }))
  })
  const { nets } = JSON.parse(goldenText('nets/rejected.json')) as { nets: { name: string; prototxt: string }[] }
  const rejected = nets
    .filter(net => !UNREADABLE.has(net.name))
    .map(net => ({ name: `rejected ${net.name}`, text: net.prototxt, solver: false }))
  return [...files, ...cases, ...rejected]
}

/** The schema as protobufjs reflects it: the reference that our readers are held against. */
export const reflection = (): Promise<protobuf.Root> => (schema ??= protoRoot())
let schema: Promise<protobuf.Root> | undefined

/** A reflected message as a plain object, tensors as plain lists. */
export function plain(type: protobuf.Type, message: protobuf.Message): unknown {
  return type.toObject(message, { enums: String, longs: Number })
}

/**
 * The message with typed arrays as plain lists and floats rounded to float32, to compare what different readers give.
 */
export function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array, Math.fround)
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value === 'number') return Math.fround(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item)]))
}

import type { LayerParameter } from '../../generated/caffe.js'
import { valueText } from '../../proto/print.js'
import { type FieldInfo, type MessageInfo, messageInfo, type PlainMessage } from '../../proto/schema.js'
import { messagesOf } from '../../registry.js'
import type { GraphNode } from '../api/index.js'

/** What the rest of a node says already, and weights. */
const APART = new Set(['name', 'type', 'bottom', 'top', 'blobs', 'phase'])

/**
 * Every field of a layer as prototxt writes it: those that are set, and those of its own messages that have a default. A
 * field that a fork added is named only where it is set.
 */
export function fieldsOf(param: LayerParameter): GraphNode['fields'] {
  const own = messagesOf(param.type ?? '')
  return messageInfo('LayerParameter').fields.flatMap(field => {
    if (APART.has(field.name)) return []
    const value = (param as PlainMessage)[field.name]
    if (!field.message || field.repeated || !field.name.endsWith('_param'))
      return value === undefined ? [] : [{ field: field.name, value: textOf(field, value), set: true }]
    if (value === undefined && !own.includes(field.name)) return []
    return inner(field.message, (value ?? {}) as PlainMessage, field.name)
  })
}

function inner(info: MessageInfo, message: PlainMessage, path: string): GraphNode['fields'] {
  return info.fields.flatMap(field => {
    const value = message[field.name]
    const set = value !== undefined
    if (!set && (field.fork || field.repeated || field.default === undefined)) return []
    return [{ field: `${path}.${field.name}`, value: textOf(field, value ?? field.default), set }]
  })
}

function textOf(field: FieldInfo, value: unknown): string {
  if (!field.repeated) return valueText(field, value)
  return [...(value as Iterable<unknown>)].map(item => valueText(field, item)).join(', ')
}

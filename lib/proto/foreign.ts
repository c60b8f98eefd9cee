import { keptOf } from './kept.js'
import type { MessageInfo, PlainMessage } from './schema.js'

/** Whether a message has, or holds, a field that Caffe 1.0 does not know. */
export function isForeign(info: MessageInfo, message: object): boolean {
  if (keptOf(message).length) return true
  return Object.entries(message as PlainMessage).some(([name, value]) => {
    const field = info.byName.get(name)
    if (!field || value === undefined) return false
    if (field.fork) return true
    const { message: inner } = field
    return inner !== undefined && [value].flat().some(item => isForeign(inner, item as object))
  })
}

import type protobuf from 'protobufjs'
import textformat from 'protobufjs/ext/textformat.js'
import { comparable, plain, reflection } from './helpers.js'

const root = await reflection()
const typeOf = (name: string): protobuf.Type => root.lookupType(`caffe.${name}`)

/** What protobufjs' own text reader makes of it, or undefined where it refuses. */
export function reference(name: string, text: string): unknown {
  try {
    const type = typeOf(name)
    return comparable(plain(type, textformat.fromText(type, text)))
  } catch {
    return undefined
  }
}

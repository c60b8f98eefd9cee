import { NetError, throwAll } from '../errors.js'
import type { FilledMessages, Messages } from '../generated/caffe.js'
import { didYouMean, listNames } from '../system/names.js'
import { readNumbers, readValues, unknownFields } from './fields.js'
import { frozenMark } from './frozen.js'
import { keptFields } from './kept.js'
import { keepPlace } from './places.js'
import {
  type FieldInfo,
  type MessageInfo,
  type MessageName,
  messageInfo,
  type PlainMessage,
  unknownField,
  type ValueKind,
} from './schema.js'

export type * from '../generated/caffe.js'
export type { MessageName } from './schema.js'

/** A shallow copy of `value` in which repeated fields and fields with a default are certain to be there. */
export function withDefaults<K extends MessageName>(type: K, value?: Messages[K]): FilledMessages[K] {
  const filled: PlainMessage = { ...value }
  for (const field of messageInfo(type).fields) {
    if (filled[field.name] !== undefined) continue
    if (field.repeated) filled[field.name] = emptyList(field)
    else if (field.default !== undefined) filled[field.name] = field.default
  }
  return filled as unknown as FilledMessages[K]
}

function emptyList(field: FieldInfo): unknown {
  if (!field.array) return []
  return field.type === 'double' ? new Float64Array(0) : new Float32Array(0)
}

/**
 * A checked copy of a message that was written as a plain object: a single value becomes a list where the field is
 * repeated, an enum number becomes its name, numbers become typed arrays where the field holds a tensor. What does not
 * fit throws, naming the place: `where` and then the path, as in `layer[3].convolution_param.kernel_size`.
 */
export function checkMessage<K extends MessageName>(type: K, value: unknown, where = ''): Messages[K] {
  const errors: NetError[] = []
  const checked = check(messageInfo(type), value, '', where ? `${where}: ` : '', errors)
  throwAll(errors)
  return checked as Messages[K]
}

const kindOf = (value: unknown): ValueKind =>
  typeof value === 'object' && !Array.isArray(value) && !ArrayBuffer.isView(value) ? 'message' : 'scalar'

/** After so many errors nobody reads on. */
const MAX_ERRORS = 100

function check(info: MessageInfo, value: unknown, path: string, where: string, errors: NetError[]): PlainMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    throw new NetError(`${where}${path || info.name} must be an object (a ${info.name}), not ${show(value)}`)
  const source = value as PlainMessage
  const checked: PlainMessage = {}
  for (const name of Object.keys(source)) {
    const given = source[name]
    if (given === undefined || given === null) continue
    const at = path ? `${path}.${name}` : name
    const field = info.byName.get(name)
    if (field)
      checked[name] = field.repeated
        ? checkList(field, given, at, where, errors)
        : checkValue(field, given, at, where, errors)
    else note(errors, `${where}${at}: ${unknownField(info, name, kindOf(given))}`, at)
  }
  for (const field of info.required) {
    if (source[field.name] === undefined) note(errors, `${where}${path || info.name} needs ${field.name}`, path)
  }
  for (const key of [unknownFields, keptFields, readNumbers, readValues, frozenMark])
    if (source[key]) checked[key] = source[key]
  return keepPlace(source, checked)
}

function note(errors: NetError[], message: string, field: string): void {
  errors.push(new NetError(message, { field }))
  if (errors.length >= MAX_ERRORS) throwAll(errors)
}

function checkList(field: FieldInfo, given: unknown, path: string, where: string, errors: NetError[]): unknown {
  if (field.array && (given instanceof Float32Array || given instanceof Float64Array)) {
    if (field.type === 'double') return given instanceof Float64Array ? given : Float64Array.from(given)
    return given instanceof Float32Array ? given : Float32Array.from(given)
  }
  const isList =
    Array.isArray(given) || (ArrayBuffer.isView(given) && !(given instanceof DataView) && field.type !== 'bytes')
  const list = isList ? Array.from(given as ArrayLike<unknown>) : [given]
  if (!field.array)
    return list.map((item, i) => checkValue(field, item, isList ? `${path}[${i}]` : path, where, errors))
  const wrong = list.findIndex(item => typeof item !== 'number')
  if (wrong >= 0) return checkValue(field, list[wrong], isList ? `${path}[${wrong}]` : path, where, errors)
  return field.type === 'double' ? Float64Array.from(list as number[]) : Float32Array.from(list as number[])
}

const RANGES: Record<string, readonly [low: number, high: number]> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
}

function checkValue(field: FieldInfo, given: unknown, path: string, where: string, errors: NetError[]): unknown {
  if (field.message) return check(field.message, given, path, where, errors)
  const wrong = (expected: string): undefined =>
    void note(errors, `${where}${path} must be ${expected}, not ${show(given)}`, path)
  if (field.enum) {
    const name = typeof given === 'number' ? field.enum.byNumber.get(given) : given
    if (typeof name === 'string' && field.enum.byName.has(name)) return name
    const { names } = field.enum
    const near = typeof name === 'string' ? didYouMean(name, names) : ''
    return void note(errors, `${where}${path} must be one of ${listNames(names)}, not ${show(given)}${near}`, path)
  }
  switch (field.type) {
    case 'string':
      if (typeof given !== 'string') return wrong('a string')
      return given
    case 'bool':
      if (typeof given !== 'boolean') return wrong('true or false')
      return given
    case 'bytes':
      if (!(given instanceof Uint8Array)) return wrong('a Uint8Array')
      return given
    case 'float':
    case 'double':
      if (typeof given !== 'number') return wrong('a number')
      return given
    default: {
      const [low, high] = RANGES[field.type]
      if (!Number.isInteger(given) || (given as number) < low || (given as number) > high)
        return wrong(low ? `an integer (${field.type})` : 'a non-negative integer')
      return given
    }
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null)
    return ArrayBuffer.isView(value) ? `a ${value.constructor.name}` : 'an object'
  return String(value)
}

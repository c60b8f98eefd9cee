/** Damage of the kinds that files suffer or attackers choose. All of it is a function of the random stream alone. */
import type { RandomStream } from '../../lib/rng.js'

type Mutation = (bytes: Uint8Array, random: RandomStream, other: Uint8Array) => Uint8Array

/** Longest result: a case must stay small enough that its time says something about the reader. */
const MAX_LENGTH = 1 << 20

const join = (...parts: Uint8Array[]): Uint8Array => {
  const result = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}
const place = (bytes: Uint8Array, random: RandomStream): number => random.integer(bytes.length + 1)
/** A stretch of `bytes`, more often a short one. */
const stretch = (bytes: Uint8Array, random: RandomStream): [from: number, to: number] => {
  const from = place(bytes, random)
  const most = random.uniform() < 0.7 ? 32 : bytes.length
  return [from, Math.min(bytes.length, from + 1 + random.integer(Math.max(1, most)))]
}

const truncate: Mutation = (bytes, random) => bytes.slice(0, place(bytes, random))

const flipBits: Mutation = (bytes, random) => {
  const copy = bytes.slice()
  if (copy.length)
    for (let n = 1 + random.integer(8); n > 0; n--) copy[random.integer(copy.length)] ^= 1 << random.integer(8)
  return copy
}

const randomBytes: Mutation = (bytes, random) => {
  const copy = bytes.slice()
  const [from, to] = stretch(bytes, random)
  for (let i = from; i < to; i++) copy[i] = random.uint32()
  return copy
}

const remove: Mutation = (bytes, random) => {
  const [from, to] = stretch(bytes, random)
  return join(bytes.subarray(0, from), bytes.subarray(to))
}

const repeat: Mutation = (bytes, random) => {
  const [from, to] = stretch(bytes, random)
  const times = 1 + random.integer(random.uniform() < 0.9 ? 4 : 1000)
  const room = Math.max(1, Math.floor((MAX_LENGTH - bytes.length) / Math.max(1, to - from)))
  return join(
    bytes.subarray(0, to),
    ...Array<Uint8Array>(Math.min(times, room)).fill(bytes.subarray(from, to)),
    bytes.subarray(to),
  )
}

const insert: Mutation = (bytes, random) => {
  const at = place(bytes, random)
  const extra = Uint8Array.from({ length: 1 + random.integer(16) }, () => random.uint32())
  return join(bytes.subarray(0, at), extra, bytes.subarray(at))
}

/** The start of one file and the end of another. */
const splice: Mutation = (bytes, random, other) =>
  join(bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random)))

/** A piece of another file in the middle. */
const transplant: Mutation = (bytes, random, other) => {
  const at = place(bytes, random)
  const [from, to] = stretch(other, random)
  return join(bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(at))
}

const EXTREMES = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  2n ** 48n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
]

/** A number of 1, 2, 4 or 8 bytes at the edge of its range: sizes, offsets and page numbers of binary formats. */
const extremeNumber: Mutation = (bytes, random) => {
  const copy = bytes.slice()
  const width = 1 << random.integer(4)
  const steps = Math.floor(copy.length / width)
  if (!steps) return copy
  const at = random.uniform() < 0.7 ? random.integer(steps) * width : random.integer(copy.length - width + 1)
  let value = EXTREMES[random.integer(EXTREMES.length)]
  const big = random.uniform() < 0.3
  for (let i = 0; i < width; i++, value >>= 8n) copy[big ? at + width - 1 - i : at + i] = Number(value & 0xffn)
  return copy
}

/** A protobuf length or number of up to ten bytes that promises far more than there is. */
const varintBomb: Mutation = (bytes, random) => {
  const at = place(bytes, random)
  const bomb = new Uint8Array(1 + random.integer(12)).fill(0xff)
  bomb[bomb.length - 1] = random.integer(128)
  return join(bytes.subarray(0, at), bomb, bytes.subarray(at + random.integer(3)))
}

const binary: readonly Mutation[] = [
  truncate,
  flipBits,
  flipBits,
  randomBytes,
  remove,
  repeat,
  insert,
  splice,
  transplant,
  extremeNumber,
  extremeNumber,
  varintBomb,
]

// ---- text
// ---------------------------------------------------------------------------------------------------------------------------

const decoder = new TextDecoder()
const encoder = new TextEncoder()
type TextMutation = (text: string, random: RandomStream, other: string) => string
const onText =
  (mutation: TextMutation): Mutation =>
  (bytes, random, other) =>
    encoder.encode(mutation(decoder.decode(bytes), random, decoder.decode(other)))

/** One of the matches of a pattern replaced. */
function replaceOne(text: string, pattern: RegExp, random: RandomStream, by: (found: string) => string): string {
  const found = [...text.matchAll(pattern)]
  if (!found.length) return text
  const match = found[random.integer(found.length)]
  return text.slice(0, match.index) + by(match[0]) + text.slice(match.index + match[0].length)
}

const NUMBERS =
  '0 -0 -1 1 2 3 7 255 65536 1000000 2000000000 2147483647 2147483648 -2147483648 4294967295 9223372036854775807 1e30 -1e30 1e400 nan inf -inf 0.5 1e-45 0x7fffffff 007 99999999999999999999'.split(
    ' ',
  )
const number: TextMutation = (text, random) =>
  replaceOne(text, /-?\d+(\.\d+)?/g, random, () => NUMBERS[random.integer(NUMBERS.length)])

const WORDS =
  'layer name type bottom top param dim shape num_output kernel_size pad stride group axis true false MAX TRAIN TEST "" "data" "x" { } [ ] < > : ; , - # " \\ blobs phase include exclude loss_weight propagate_down input input_dim layers force_backward state'.split(
    ' ',
  )
const word: TextMutation = (text, random) =>
  replaceOne(text, /[A-Za-z_]+|"[^"\n]*"|[{}:]/g, random, () => WORDS[random.integer(WORDS.length)])

/** A word, string or type takes the place of another one: the result is often well-formed. */
const swapWords: TextMutation = (text, random, other) => {
  const pattern = [/[A-Za-z_]+/g, /"[^"\n]*"/g, /(?<=: )[A-Z]\w+/g, /\d+/g][random.integer(4)]
  const words = (random.uniform() < 0.5 ? text : other).match(pattern)
  return words ? replaceOne(text, pattern, random, () => words[random.integer(words.length)]) : text
}

/** A message from another file, or of the same one, put before some word. */
const addMessage: TextMutation = (text, random, other) => {
  const messages = (random.uniform() < 0.5 ? text : other).match(/\w+\s*\{[^{}]*(\{[^{}]*\}[^{}]*)*\}/g)
  return messages
    ? replaceOne(text, /[A-Za-z_]+\s*[:{]/g, random, found => `${messages[random.integer(messages.length)]} ${found}`)
    : text
}

const cutMessage: TextMutation = (text, random) =>
  replaceOne(text, /\w+\s*(:\s*("[^"\n]*"|[\w.-]+)|\{[^{}]*\})/g, random, () => '')

const nesting: TextMutation = (text, random) => {
  const depth = 1 << (1 + random.integer(15))
  const [open, close] = [
    ['{', '}'],
    ['<', '>'],
    ['[', ']'],
    ['layer {', '}'],
    ['layers { layer {', '} }'],
  ][random.integer(5)]
  const bomb = open.repeat(depth) + (random.uniform() < 0.5 ? close.repeat(depth) : '')
  return replaceOne(text, /[A-Za-z_]+/g, random, found => `${bomb.slice(0, MAX_LENGTH - text.length)} ${found}`)
}

const manyDims: TextMutation = (text, random) =>
  replaceOne(text, /dim:\s*-?\d+/g, random, found =>
    `${found} `.repeat(1 + random.integer(random.uniform() < 0.8 ? 40 : 2000)),
  )

const textual: readonly Mutation[] = [
  number,
  number,
  number,
  word,
  swapWords,
  swapWords,
  addMessage,
  cutMessage,
  nesting,
  manyDims,
].map(onText)

/** Damage that leaves the grammar whole, so that it gets as far as the code that uses the values. */
const values: readonly Mutation[] = [
  number,
  number,
  number,
  swapWords,
  swapWords,
  addMessage,
  cutMessage,
  manyDims,
].map(onText)

export type Form = 'binary' | 'text' | 'values'

/** `bytes` with one to four kinds of damage, more often one; `other` is a second file of the same kind, for splices. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: RandomStream, form: Form = 'binary'): Uint8Array {
  let result = bytes
  const times = random.uniform() < 0.6 ? 1 : 2 + random.integer(3)
  for (let n = 0; n < times; n++) {
    const kinds = form === 'values' ? values : form === 'text' && random.uniform() < 0.85 ? textual : binary
    result = kinds[random.integer(kinds.length)](result, random, other).subarray(0, MAX_LENGTH)
  }
  return result.slice()
}

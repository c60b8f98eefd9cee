/** The wire format with a schema that is not Caffe's, held against protobufjs. */
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../lib/errors.js'
import { ByteReader } from '../../lib/proto/byte_reader.js'
import { ByteWriter } from '../../lib/proto/byte_writer.js'
import { type PlainMessage, Schema, unknownFields } from '../../lib/proto/fields.js'
import { MessageReader } from '../../lib/proto/message_reader.js'
import { MessageWriter } from '../../lib/proto/message_writer.js'
import { RandomStream } from '../../lib/rng.js'
import { comparable, plain } from './helpers.js'

const schema = new Schema({
  enums: { Kind: 'NONE FLOAT=3 INT LATE=-2' },
  messages: {
    Node: 'name string;4 kind Kind=INT;kinds Kind*#;20 child Node*;only Node;300 data float*@;packed float*#@',
    All: 'i int32;u uint32;l int64;f float;d double;b bool;s string;y bytes;is int32*;us uint32*#;ls int64*#;fs float*;fp float*#;ds double*#@;bs bool*#;ss string*;ys bytes*',
  },
})

const { root } = protobuf.parse(
  `syntax = "proto2";
   enum Kind { NONE = 0; FLOAT = 3; INT = 4; LATE = -2; }
   message Node { optional string name = 1; optional Kind kind = 4 [default = INT]; repeated Kind kinds = 5 [packed = true];
     repeated Node child = 20; optional Node only = 21; repeated float data = 300; repeated float packed = 301 [packed = true]; }
   message All { optional int32 i = 1; optional uint32 u = 2; optional int64 l = 3; optional float f = 4; optional double d = 5;
     optional bool b = 6; optional string s = 7; optional bytes y = 8; repeated int32 is = 9; repeated uint32 us = 10 [packed = true];
     repeated int64 ls = 11 [packed = true]; repeated float fs = 12; repeated float fp = 13 [packed = true];
     repeated double ds = 14 [packed = true]; repeated bool bs = 15 [packed = true]; repeated string ss = 16; repeated bytes ys = 17; }`,
  { keepCase: true },
)

function read(name: string, bytes: Uint8Array): PlainMessage {
  const steps = new MessageReader(bytes).read(schema.message(name), 'a.bin')
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value
}

function write(name: string, message: PlainMessage): Uint8Array {
  const writer = new MessageWriter()
  writer.message(schema.message(name), message)
  return writer.finish()
}

/** Tensors as lists, which is what protobufjs takes. */
function lists(value: unknown): unknown {
  if (value instanceof Float32Array || value instanceof Float64Array || Array.isArray(value))
    return Array.from(value as unknown[], lists)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, lists(item)]))
}

/** The same bytes as protobufjs, and the same message back. */
function agrees(name: string, message: PlainMessage): void {
  const type = root.lookupType(name)
  const bytes = write(name, message)
  expect(Buffer.compare(bytes, type.encode(type.fromObject(lists(message) as object)).finish())).toBe(0)
  expect(comparable(read(name, bytes))).toEqual(comparable(plain(type, type.decode(bytes))))
}

describe('held against protobufjs', () => {
  test('a message that holds its own kind', () => {
    const leaf = { name: 'leaf', kind: 'LATE', kinds: ['NONE', 'LATE', 'INT'], data: Float32Array.of(1, -0.5) }
    agrees('Node', { name: 'ä€😀', child: [leaf, {}, { only: leaf }], packed: Float32Array.of(1, 2, 3) })
    agrees('Node', { name: 'x'.repeat(5000), child: Array.from({ length: 300 }, (_, i) => ({ name: `n${i}` })) })
  })

  test('values of every type, random ones and the limits', { tags: 'long' }, () => {
    const random = new RandomStream(5, 'wire')
    const bits = (n: number): number => Math.floor(random.uint32() / 2 ** (32 - n))
    const long = (): number => {
      const value = bits(21) * 2 ** 32 + random.uint32()
      const small = Math.floor(value / 2 ** bits(6))
      return random.uint32() & 1 ? small : -small
    }
    const text = (n: number): string => String.fromCodePoint(...Array.from({ length: n }, () => 1 + bits(11)))
    const list = <T>(make: () => T): T[] => Array.from({ length: bits(3) }, make)
    for (let round = 0; round < 200; round++)
      agrees('All', {
        i: random.uint32() | 0,
        u: random.uint32() >>> bits(5),
        l: long(),
        f: Math.fround(random.uint32() / 7),
        d: random.uint32() / 7,
        b: bits(1) === 1,
        s: text(bits(8)),
        y: Uint8Array.from({ length: bits(13) }, () => bits(8)),
        is: list(() => random.uint32() >> bits(5)),
        us: list(() => random.uint32() >>> bits(5)),
        ls: list(long),
        fs: list(() => bits(9) / 8),
        fp: list(() => bits(9) / 8),
        ds: Float64Array.from(list(() => bits(9) / 3)),
        bs: list(() => bits(1) === 1),
        ss: list(() => text(bits(5))),
        ys: list(() => Uint8Array.of(bits(8), 0)),
      })
    for (const l of [0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 32 - 1, 2 ** 35, -(2 ** 35), 2 ** 53 - 1, 1 - 2 ** 53])
      agrees('All', { l, ls: [l, 0] })
  })

  test('text of any bytes', () => {
    const type = root.lookupType('All')
    for (const bytes of [[0xff, 0xfe], [0xef, 0xbb, 0xbf, 65], [65, 0xc3], [0xed, 0xa0, 0x80], Array(90).fill(0xe2)])
      expect(read('All', Uint8Array.of(0x3a, bytes.length, ...bytes))['s']).toBe(
        plain(type, type.decode(Uint8Array.of(0x3a, bytes.length, ...bytes)))!['s' as never],
      )
  })
})

test('what the schema does not know is kept, at every depth', () => {
  const unknown = Uint8Array.of(0x9a, 0x06, 1, 7)
  const node = Uint8Array.of(0xa2, 0x01, unknown.length, ...unknown)
  const message = read('Node', Uint8Array.of(...node, ...unknown))
  expect(message[unknownFields]).toEqual([unknown])
  expect((message['child'] as PlainMessage[])[0][unknownFields]).toEqual([unknown])
  expect(write('Node', message)).toEqual(Uint8Array.of(...node, ...unknown))
})

describe('hostile bytes', () => {
  test('messages in messages end at a depth', { tags: 'long' }, () => {
    const nested = (depth: number): Uint8Array => {
      let bytes: Uint8Array = new Uint8Array(0)
      for (let i = 0; i < depth; i++) {
        const writer = new ByteWriter()
        writer.uint32((21 << 3) | 2)
        writer.bytes(bytes)
        bytes = writer.finish()
      }
      return bytes
    }
    expect(() => read('Node', nested(100))).not.toThrow()
    expect(() => read('Node', nested(101))).toThrow(FormatError)
    expect(() => read('Node', nested(101))).toThrow('a.bin: byte 361 of 361, in Node.only.only')
    expect(() => read('Node', nested(101))).toThrow('more than 100 messages in messages')
    expect(() => read('Node', nested(5000))).toThrow('more than 100 messages in messages')
  })

  test.each([
    ['a tag of more than 32 bits', [0x8a, 0x80, 0x80, 0x80, 0x10], 'invalid tag encoding'],
    ['a tag of six bytes', [0x8a, 0x80, 0x80, 0x80, 0x80, 0], 'invalid tag encoding'],
    ['a size of 2 GB', [0x3a, 0x80, 0x80, 0x80, 0x80, 0x08], 'invalid length encoding'],
    ['a size of 16 GB', [0x3a, 0x80, 0x80, 0x80, 0x80, 0x40], 'invalid length encoding'],
    ['a double cut short', [0x29, 1, 2, 3], 'byte 1 of 4, in All: it is cut short'],
    ['a list that ends within a value', [0x52, 1, 0x80, 1], 'in All.us: a value goes beyond the end of its list'],
    ['an integer beyond what numbers hold', [0x18, ...Array(9).fill(0x80), 1], 'the integer -9223372036854775808 is'],
  ])('%s', (_, bytes, message) => {
    expect(() => read('All', Uint8Array.from(bytes))).toThrow(FormatError)
    expect(() => read('All', Uint8Array.from(bytes))).toThrow(message)
  })
})

test('a reader stops where it is told to', () => {
  const reader = new ByteReader(Uint8Array.of(0x80, 1, 5))
  reader.end = 1
  expect(() => reader.int32()).toThrow('it is cut short')
  reader.at = 0
  reader.end = 2
  expect(reader.int32()).toBe(128)
  expect(() => reader.int32()).toThrow('it is cut short')
  reader.end = 3
  expect(reader.bool()).toBe(true)
})

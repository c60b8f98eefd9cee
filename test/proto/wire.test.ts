import type protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { FormatError, NetError } from '../../lib/errors.js'
import { unknownFields } from '../../lib/proto/fields.js'
import type { NetParameter } from '../../lib/proto/message.js'
import type { MessageName } from '../../lib/proto/schema.js'
import { parseNet } from '../../lib/proto/text.js'
import {
  readBlobProto,
  readBlobProtoVector,
  readMessage,
  readNetParameter,
  readSolverState,
  writeMessage,
} from '../../lib/proto/wire.js'
import { comparable, goldenBytes, goldenFiles, goldenPrototxts, plain, reflection } from './helpers.js'

const root = await reflection()
const typeOf = (name: string): protobuf.Type => root.lookupType(`caffe.${name}`)

const unknown = (message: object): Uint8Array[] | undefined => (message as Record<symbol, Uint8Array[]>)[unknownFields]

const FILES: [string, MessageName][] = [
  ...goldenFiles('.caffemodel').map((file): [string, MessageName] => [file, 'NetParameter']),
  ...goldenFiles('.solverstate').map((file): [string, MessageName] => [file, 'SolverState']),
  ...goldenFiles('.binaryproto').map((file): [string, MessageName] => [file, 'BlobProto']),
  ['io/blob.bin', 'BlobProto'],
  ['io/datum_bytes.bin', 'Datum'],
  ['io/datum_float.bin', 'Datum'],
]

describe('files that Caffe wrote', () => {
  test('there are many', { tags: 'long' }, () => expect(FILES.length).toBeGreaterThan(14))

  test.each(FILES)('%s: reads as by protobufjs, and writes back byte for byte', { tags: 'long' }, (file, name) => {
    const bytes = goldenBytes(file)
    const message = readMessage(name, bytes, { file })
    expect(comparable(message)).toEqual(comparable(plain(typeOf(name), typeOf(name).decode(bytes))))
    const written = writeMessage(name, message)
    expect(Buffer.compare(written, bytes)).toBe(0)
  })

  test.each(FILES)('%s: reads the same from bytes of its own, and copies no long row of floats', (file, name) => {
    const bytes = goldenBytes(file)
    const expected = readMessage(name, bytes)
    for (let shift = 0; shift < 4; shift++) {
      const own = new Uint8Array(bytes.length + 4).subarray(shift, shift + bytes.length)
      own.set(bytes)
      const message = readMessage(name, own, { own: true })
      expect(message).toEqual(expected)
      const visit = (value: unknown): void => {
        if (value instanceof Float32Array) {
          if (value.byteLength >= 128) expect(value.buffer).toBe(own.buffer)
        } else if (value && typeof value === 'object' && !ArrayBuffer.isView(value))
          for (const part of Object.values(value)) visit(part)
      }
      visit(message)
    }
  })

  test('from a view at any alignment, tensors are the same; aligned ones are not copied', () => {
    const bytes = goldenBytes('nets/legacy_v1.caffemodel')
    const expected = readNetParameter(bytes)
    let views = 0
    for (let shift = 0; shift < 4; shift++) {
      const shifted = new Uint8Array(bytes.length + 4).subarray(shift, shift + bytes.length)
      shifted.set(bytes)
      const net = readNetParameter(shifted)
      expect(net).toEqual(expected)
      for (const layer of net.layers ?? [])
        for (const blob of layer.blobs ?? []) if (blob.data?.buffer === shifted.buffer) views++
    }
    const blobs = expected.layers!.reduce((count, layer) => count + (layer.blobs?.length ?? 0), 0)
    expect(views).toBe(blobs)
  })
})

test('what text says, bytes say: every golden prototxt goes through the binary form', { tags: 'long' }, () => {
  for (const { name, text, solver } of goldenPrototxts()) {
    if (solver) continue
    const net = parseNet(text)
    expect(readNetParameter(writeMessage('NetParameter', net)), name).toEqual(net)
  }
})

/** Bytes from numbers and strings. */
const raw = (...parts: (number | string | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap(part =>
      typeof part === 'number' ? [part] : [...(typeof part === 'string' ? new TextEncoder().encode(part) : part)],
    ),
  )
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)

describe('the wire format', () => {
  test('numbers at their limits', () => {
    const net: NetParameter = {
      input_dim: [0, 1, -1, 127, 128, 2 ** 31 - 1, -(2 ** 31)],
      input_shape: [{ dim: [0, -1, 2 ** 32, 2 ** 53 - 1, -(2 ** 53 - 1)] }],
      layer: [
        { loss_weight: [0.1, -0, Infinity], propagate_down: [true, false], convolution_param: { pad: [2 ** 32 - 1] } },
      ],
    }
    const bytes = writeMessage('NetParameter', net)
    expect(readNetParameter(bytes)).toEqual(net)
    expect(comparable(plain(typeOf('NetParameter'), typeOf('NetParameter').decode(bytes)))).toEqual(comparable(net))
  })

  test('packed and one by one, in pieces and mixed', () => {
    const one = raw(0x2d, floats(1))
    const two = raw(0x2a, 8, floats(2, 3))
    const none = raw(0x2a, 0)
    expect(readBlobProto(raw(two, one, none, two)).data).toEqual(Float32Array.of(2, 3, 1, 2, 3))
    expect(readBlobProto(raw(one, one, one)).data).toEqual(Float32Array.of(1, 1, 1))
    expect(readBlobProto(none).data).toEqual(new Float32Array(0))
    expect(readMessage('BlobShape', raw(0x0a, 2, 5, 6, 0x08, 7, 0x0a, 1, 8)).dim).toEqual([5, 6, 7, 8])
    expect(readMessage('DummyDataParameter', raw(0x12, 2, 5, 6, 0x10, 7)).num).toEqual([5, 6, 7])
    expect(
      readMessage(
        'BlobProto',
        raw(0x41, new Uint8Array(Float64Array.of(0.5).buffer), 0x42, 8, new Uint8Array(Float64Array.of(2).buffer)),
      ),
    ).toEqual({
      double_data: Float64Array.of(0.5, 2),
    })
  })

  test('a single message in two pieces is one message; the last single value counts', () => {
    const first = raw(0xd2, 0x06, 2, 0x08, 4) // LayerParameter.convolution_param { num_output: 4 }
    const second = raw(0xd2, 0x06, 4, 0x08, 5, 0x18, 1)
    expect(readMessage('LayerParameter', raw(first, second))).toEqual({
      convolution_param: { num_output: 5, pad: [1] },
    })
  })

  test('tensors go out as they are, lists and doubles too', () => {
    expect(
      writeMessage('BlobProto', { shape: { dim: [2] }, data: Float32Array.of(1, 2), diff: new Float32Array(0) }),
    ).toEqual(raw(0x2a, 8, floats(1, 2), 0x3a, 3, 0x0a, 1, 2))
    expect(writeMessage('BlobProto', { data: [1, 2] as unknown as Float32Array })).toEqual(raw(0x2a, 8, floats(1, 2)))
    expect(writeMessage('NetParameter', {})).toEqual(raw())
    const shared = new Float32Array(new SharedArrayBuffer(8))
    shared.set([1, 2])
    expect(writeMessage('BlobProto', { data: shared })).toEqual(raw(0x2a, 8, floats(1, 2)))
  })

  test('what does not fit the schema is not written', () => {
    expect(() => writeMessage('NetParameter', { layer: [{ nmae: 'x' } as object] })).toThrow(NetError)
    expect(() => writeMessage('NetParameter', { layer: [{ pooling_param: { pool: 'MEAN' as 'MAX' } }] })).toThrow(
      /layer\[0\].pooling_param.pool/,
    )
  })
})

describe('unknown fields', () => {
  const varint = raw(0x98, 0x06, 0x96, 0x01) // 99: 150
  const fixed64 = raw(0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8)
  const bytes = raw(0x9a, 0x06, 2, 'hi')
  const group = raw(0x9b, 0x06, 0x08, 1, 0x13, 0x14, 0x9c, 0x06)
  const fixed32 = raw(0x9d, 0x06, 9, 9, 9, 9)
  const name = raw(0x0a, 1, 'n')

  test('are kept byte for byte, and go last when written', () => {
    const net = readNetParameter(raw(varint, fixed64, name, bytes, group, fixed32))
    expect(net).toMatchObject({ name: 'n' })
    expect(Object.keys(net)).toEqual(['name'])
    expect(unknown(net)).toEqual([raw(varint, fixed64), raw(bytes, group, fixed32)])
    const written = writeMessage('NetParameter', net)
    expect(written).toEqual(raw(name, varint, fixed64, bytes, group, fixed32))
    expect(unknown(readNetParameter(written))).toEqual([raw(varint, fixed64, bytes, group, fixed32)])
  })

  test('within messages, too', () => {
    const net = readNetParameter(raw(0xa2, 0x06, name.length + varint.length, name, varint))
    expect(net.layer).toMatchObject([{ name: 'n' }])
    expect(unknown(net.layer![0])).toEqual([varint])
    expect(readNetParameter(writeMessage('NetParameter', net))).toEqual(net)
  })

  test('a known field of another wire type, or an enum value of a newer schema, is unknown', () => {
    const text = raw(0x08, 5) // NetParameter.name as an integer
    const pool = raw(0x08, 77)
    expect(unknown(readNetParameter(text))).toEqual([text])
    const pooling = readMessage('PoolingParameter', raw(pool, 0x10, 3))
    expect(pooling).toMatchObject({ kernel_size: 3 })
    expect(pooling.pool).toBeUndefined()
    expect(unknown(pooling)).toEqual([pool])
  })
})

describe('hostile bytes end in a FormatError that says where', () => {
  test.each([
    ['a size beyond the end', raw(0x0a, 5, 'abc'), 'byte 2 of 5, in NetParameter: it is cut short'],
    [
      'a size beyond the message around it',
      raw(0xa2, 0x06, 3, 0x0a, 5, 'abcdefg'),
      'byte 5 of 12, in NetParameter.layer: it is cut short',
    ],
    [
      'a huge tensor',
      raw(0xa2, 0x06, 10, 0x3a, 8, 0x2a, 0xfc, 0xff, 0xff, 0xff, 0x07, 1, 1),
      'in NetParameter.layer.blobs.data: 2147483644 bytes are announced',
    ],
    [
      'a tensor with half a value',
      raw(0xa2, 0x06, 6, 0x3a, 4, 0x2a, 2, 1, 1),
      '2 bytes do not make whole float values',
    ],
    ['a tag cut short', raw(0xa2), 'byte 1 of 1, in NetParameter: it is cut short'],
    ['an integer cut short', raw(0x20, 0xff), 'it is cut short'],
    ['an integer of more than 64 bits', raw(0x20, ...Array<number>(11).fill(0xff), 0), 'invalid varint encoding'],
    [
      'an unknown integer of more than 64 bits',
      raw(0x98, 0x06, ...Array<number>(300).fill(0xff), 0),
      'an integer of more than 64 bits',
    ],
    [
      'an integer that is not exact in JavaScript',
      raw(0x42, 10, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
      'is beyond 2^53',
    ],
    ['field number 0', raw(0x00, 0x00), 'illegal tag'],
    ['an end of no group', raw(0x0c), 'invalid wire type 4'],
    ['wire type 7', raw(0x0f), 'invalid wire type 7'],
    ['a group without end', raw(0x9b, 0x06, 0x08, 1), 'it is cut short'],
    ['a group with another end', raw(0x9b, 0x06, 0x14), 'invalid end group tag'],
    ['groups in groups', new Uint8Array(100_000).fill(0x13), 'max depth exceeded'],
  ])('%s', (_, bytes, message) => {
    expect(() => readNetParameter(bytes, { file: 'a.caffemodel' })).toThrow(FormatError)
    expect(() => readNetParameter(bytes, { file: 'a.caffemodel' })).toThrow('a.caffemodel: byte ')
    expect(() => readNetParameter(bytes)).toThrow(message)
  })
})

test('the named readers', () => {
  expect(readSolverState(goldenBytes('solvers/snapshots/sgd_momentum_l2_iter_10.solverstate')).iter).toBe(10)
  expect(readBlobProto(goldenBytes('io/mnist_mean.binaryproto'))).toMatchObject({
    num: 1,
    channels: 1,
    height: 28,
    width: 28,
  })
  expect(
    readBlobProtoVector(writeMessage('BlobProtoVector', { blobs: [{ data: Float32Array.of(1) }] })).blobs?.[0].data,
  ).toEqual(Float32Array.of(1))
})

test('a tensor in pieces of every size is one array', () => {
  const values = Array.from({ length: 500 }, (_, i) => i / 8)
  const bytes: number[] = []
  const doubles: number[] = []
  const packed = (tag: number, list: readonly number[], Type: typeof Float32Array | typeof Float64Array) => {
    const data = new Uint8Array(Type.from(list as number[]).buffer)
    const size = data.length < 128 ? [data.length] : [(data.length & 127) | 128, data.length >> 7]
    return [tag, ...size, ...data]
  }
  for (let at = 0, size = 1; at < values.length; at += size, size = (size * 3) % 41) {
    const piece = values.slice(at, at + size)
    // data = 5 packed or one by one, double_data = 8
    if (size % 5 === 3) for (const value of piece) bytes.push(0x2d, ...packed(0, [value], Float32Array).slice(2))
    else bytes.push(...packed(0x2a, piece, Float32Array))
    doubles.push(...packed(0x42, piece, Float64Array))
  }
  const proto = readMessage('BlobProto', Uint8Array.from([...bytes, ...doubles]))
  expect(proto.data).toEqual(Float32Array.from(values))
  expect(proto.double_data).toEqual(Float64Array.from(values))
})

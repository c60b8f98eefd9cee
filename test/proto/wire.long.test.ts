import { describe, expect, test } from 'vitest'
import { FormatError } from '../../lib/errors.js'
import type { MessageName } from '../../lib/proto/schema.js'
import { readBlobProto, readMessage, readNetParameter, writeMessage } from '../../lib/proto/wire.js'
import { RandomStream } from '../../lib/rng.js'
import { goldenBytes } from './helpers.js'

describe('hostile bytes end in a FormatError that says where', () => {
  test('millions of empty messages or unknown fields are refused before they fill the memory', () => {
    const layers = new Uint8Array(3 * 2 ** 20 + 3)
    for (let i = 0; i < layers.length; i += 3) layers.set([0xa2, 0x06, 0], i)
    expect(() => readNetParameter(layers)).toThrow('more than 1048576 messages')
    const mixed = new Uint8Array(4 * 2 ** 20 + 4)
    for (let i = 0; i < mixed.length; i += 4) mixed.set([0x28, 0, 0x58, 0], i) // force_backward, then field 11
    expect(() => readNetParameter(mixed)).toThrow('more than 1048576 unknown fields')
  })

  test('a tensor in a million pieces takes no longer than its size', () => {
    const bytes = new Uint8Array(6 * 2 ** 20)
    for (let i = 0; i < bytes.length; i += 6) bytes.set([0x2a, 4], i)
    expect(readBlobProto(bytes).data).toHaveLength(2 ** 20)
  })

  /** Reading must give a message, which can be written, or a FormatError. */
  const survives = (name: MessageName, bytes: Uint8Array): boolean => {
    let message: object
    try {
      message = readMessage(name, bytes)
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError)
      return false
    }
    writeMessage(name, message)
    return true
  }

  test('a model cut at every byte', () => {
    const model = goldenBytes('nets/legacy_v1.caffemodel')
    const read = Array.from(model, (_, end) => survives('NetParameter', model.subarray(0, end))).filter(Boolean).length
    // only where one layer ends and the next one begins
    expect(read).toBeLessThan(20)
  })

  test.each([
    ['nets/legacy_v1.caffemodel', 'NetParameter'],
    ['io/classifier.caffemodel', 'NetParameter'],
    ['solvers/snapshots/adam_iter_10.solverstate', 'SolverState'],
    ['io/datum_float.bin', 'Datum'],
    ['io/blob.bin', 'BlobProto'],
  ] as const)('%s with one bit changed', (file, name) => {
    const bytes = goldenBytes(file)
    const random = new RandomStream(3, file)
    for (let i = 0; i < 400; i++) {
      const at = random.integer(Math.min(bytes.length, 600))
      const bit = 1 << random.integer(8)
      bytes[at] ^= bit
      survives(name, bytes)
      bytes[at] ^= bit
    }
  })
})

test('40 MB of weights are read where they lie: no value is copied', () => {
  const data = Float32Array.from({ length: 2 ** 18 }, (_, i) => i)
  const layer = Array.from({ length: 40 }, (_, i) => ({
    name: `ip${i}`,
    type: 'InnerProduct',
    blobs: [{ shape: { dim: [512, 512] }, data }],
  }))
  const bytes = writeMessage('NetParameter', { layer })
  expect(bytes.length).toBeGreaterThan(40 * 2 ** 20)
  const tensors = readMessage('NetParameter', bytes, { own: true }).layer!.map(({ blobs }) => blobs![0].data!)
  expect(tensors).toHaveLength(40)
  for (const tensor of tensors) {
    expect(tensor.buffer).toBe(bytes.buffer)
    expect(tensor).toEqual(data)
  }
})

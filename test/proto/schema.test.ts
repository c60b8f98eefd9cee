import type protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { schema as tables } from '../../lib/generated/caffe.js'
import { Schema } from '../../lib/proto/fields.js'
import { messageInfo, unknownField } from '../../lib/proto/schema.js'
import { nearestName } from '../../lib/system/names.js'
import { isOfText } from '../../scripts/proto_root.js'
import { reflection } from './helpers.js'

/** One to which no class of layers has added anything. */
const schema = new Schema(tables)
const { names } = schema

/** Fields of prototxts alone come last, in the order of the file. */
const placeOf = (field: protobuf.Field): number => (isOfText(field) ? 2 ** 30 - field.id + 2 ** 30 : field.id)

/** protobufjs has 64-bit integers as objects. */
const plainNumber = (value: unknown): unknown => (typeof value === 'object' ? Number(value) : value)

describe('the generated schema', () => {
  test('agrees with protobufjs on every field of proto/*.proto', { tags: 'long' }, async () => {
    const root = await reflection()
    let fields = 0
    for (const name of names) {
      const type = root.lookupType(`caffe.${name}`)
      const info = schema.message(name)
      expect(info.fields.map(field => field.name)).toEqual(
        [...type.fieldsArray].sort((a, b) => placeOf(a) - placeOf(b)).map(field => field.name),
      )
      for (const field of info.fields) {
        const reference = type.fields[field.name]
        expect(field.number).toBe(isOfText(reference) ? 0 : reference.id)
        expect(field.repeated).toBe(reference.repeated)
        expect(field.required).toBe(reference.required)
        expect(field.packed).toBe(reference.repeated && reference.packed)
        if (!field.repeated && !field.message && field.default !== undefined) {
          const value = field.enum ? field.enum.byName.get(field.default as string) : field.default
          expect(value, `${name}.${field.name}`).toEqual(plainNumber(reference.resolve().defaultValue))
        }
        fields++
      }
    }
    expect(names.length).toBeGreaterThan(60)
    expect(fields).toBeGreaterThan(420)
  })

  test('no message can hold itself, which bounds the recursion of the readers', { tags: 'long' }, () => {
    const walk = (name: string, above: string[]): void => {
      expect(above).not.toContain(name)
      for (const field of schema.message(name).fields) if (field.message) walk(field.message.name, [...above, name])
    }
    for (const name of names) walk(name, [])
  })
})

describe('what was meant by an unknown field', () => {
  test.each([
    ['LayerParameter', 'bottum', "did you mean 'bottom'?"],
    ['ConvolutionParameter', 'kernelSize', "did you mean 'kernel_size'?"],
    ['LayerParameter', 'kernel_size', 'it is a field of convolution_param, pooling_param'],
    ['BlobShape', 'width', 'its fields are dim'],
  ] as const)('%s.%s: %s', (message, name, hint) => {
    expect(unknownField(messageInfo(message), name)).toBe(`${message} has no field '${name}'; ${hint}`)
  })

  test.each([
    ['LayerParameter', 'swish_layer_param'],
    ['LayerParameter', 'foo_param'],
  ] as const)('%s.%s: no guess beats a wrong one', (message, name) =>
    expect(unknownField(messageInfo(message), name)).toBe(`${message} has no field '${name}'`),
  )

  test('a hostile name costs little', () => {
    expect(unknownField(messageInfo('LayerParameter'), 'x'.repeat(1e6)).length).toBeLessThan(200)
  })

  test('edit distance', () => {
    expect(nearestName('sitting', ['kitten', 'mutton'])).toEqual({ name: 'kitten', close: false })
    expect(nearestName('STRIDES', ['pad', 'stride'])).toEqual({ name: 'stride', close: true })
    expect(nearestName('nmae', ['type', 'name'])).toEqual({ name: 'name', close: true })
    expect(nearestName('ReLU6', ['ReLU']).close).toBe(false)
    expect(nearestName('Correlation', ['Convolution']).close).toBe(false)
    expect(nearestName('foo_param', ['log_param']).close).toBe(false)
    // who asks for close ones alone is told of no other, and of the same one
    expect(nearestName('sitting', ['kitten', 'mutton'], true)).toEqual({ name: '', close: false })
    expect(nearestName('STRIDES', ['pad', 'stride'], true)).toEqual({ name: 'stride', close: true })
    expect(nearestName('ab', ['abc'], true).close).toBe(nearestName('ab', ['abc']).close)
  })
})

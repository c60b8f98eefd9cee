import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { schema } from '../../lib/generated/caffe.js'
import { isOfLayer } from '../../scripts/proto_root.js'
import { reflection } from './helpers.js'

const generated = readFileSync(new URL('../../lib/generated/caffe.ts', import.meta.url), 'utf8')

/** What an editor shows of the fields of an interface, by name. */
function shown(message: string): Map<string, string> {
  const body = generated.split(`\nexport interface ${message} {\n`)[1].split('\n}')[0]
  return new Map([...body.matchAll(/ {2}\/\*\* (.*) \*\/\n {2}(\w+)\?: /g)].map(([, text, name]) => [name, text]))
}

async function messages(): Promise<protobuf.Type[]> {
  const { nestedArray } = (await reflection()).lookup('caffe') as protobuf.Namespace
  return nestedArray.filter(item => item instanceof protobuf.Type)
}

const words = (text: string): string[] => text.toLowerCase().match(/[a-z0-9]+/g) ?? []

describe('what an editor shows', () => {
  test('every message says what it is for', async () => {
    const without = (await messages()).filter(({ comment }) => words(comment ?? '').length < 3)
    expect(without.map(({ name }) => name)).toEqual([])
  })

  test('every field says what it does, in more than the words of its name', async () => {
    const silent: string[] = []
    for (const message of await messages()) {
      const texts = shown(message.name)
      for (const field of message.fieldsArray) {
        const text = (texts.get(field.name) ?? '').replace(/ ?Default: .*/, '')
        const name = words(field.name.replaceAll('_', ' '))
        if (words(text).filter(word => !name.includes(word)).length < 2) silent.push(`${message.name}.${field.name}`)
      }
    }
    expect(silent).toEqual([])
  })

  test("a layer's options are described by their message", async () => {
    const [layer] = (await messages()).filter(isOfLayer)
    const { comment } = (await reflection()).lookupType('caffe.PermuteParameter')
    expect(shown(layer.name).get('permute_param')).toBe(comment)
    expect(shown('ConvolutionParameter').get('num_output')).toBe('How many filters: the channels of the top.')
    expect(shown('ConvolutionParameter').get('group')).toMatch(/^Parts .* must divide both\. Default: 1\.$/)
    expect(generated).toContain(' * - `AVE`: The mean, padding counting as zeros.\n')
  })

  test('none of it is in what runs', async () => {
    const runs = JSON.stringify(schema)
    const comments = (await messages()).flatMap(({ fieldsArray }) => fieldsArray.map(({ comment }) => comment ?? ''))
    expect(comments.filter(comment => comment.length > 25 && runs.includes(comment))).toEqual([])
  })
})

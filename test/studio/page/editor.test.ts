import { describe, expect, test } from 'vitest'
import { fieldBefore, messagesAt, topsBefore } from '../../../lib/studio/page/parts/editor/place.js'

const text = `# layer { in a comment
name: "with { in it"
layer {
  name: "conv1" type: "Convolution" top: "conv1"
  convolution_param {
    num_output: 20
    weight_filler { type: "xavier" }
    
  }
  
}

`
const names = (at: number): (string | undefined)[] => messagesAt(text, at).map(message => message?.name)

describe('where a cursor stands', () => {
  test('brackets in strings and comments are none', () => {
    expect(names(text.indexOf('layer {\n'))).toEqual(['NetParameter'])
    expect(names(text.length)).toEqual(['NetParameter'])
  })

  test('messages open and close', () => {
    expect(names(text.indexOf('num_output'))).toEqual(['NetParameter', 'LayerParameter', 'ConvolutionParameter'])
    expect(names(text.indexOf('"xavier"')).at(-1)).toBe('FillerParameter')
    expect(names(text.indexOf('}\n    \n') + 2).at(-1)).toBe('ConvolutionParameter')
  })

  test('what the schema has not got is unknown, and its end is still found', () => {
    const strange = 'layer { strange { x: 1 } '
    expect(messagesAt(strange, 20).map(message => message?.name)).toEqual(['NetParameter', 'LayerParameter', undefined])
    expect(messagesAt(strange, strange.length).at(-1)?.name).toBe('LayerParameter')
  })

  test('tops above, the nearest first', () => {
    expect(topsBefore('top: "a"\ntop: "b"\ntop: "a"\nbottom: ""', 40)).toEqual(['a', 'b'])
  })

  test('a value that began has its field', () => {
    expect(fieldBefore('  bottom: "co')).toEqual({ field: 'bottom', quoted: true })
    expect(fieldBefore('  pool: M')).toEqual({ field: 'pool', quoted: false })
    expect(fieldBefore('  num_ou')).toBeUndefined()
  })
})

import { describe, expect, it } from 'vitest'
import { checkSamplers } from '../../lib/data/batch_sampler.js'
import { FormatError, NetError } from '../../lib/errors.js'
import { loadLabelMap } from '../../lib/pycaffe/detect.js'
import { cocoPictures, parseXml } from '../../lib/tools/annotations.js'

// what is not linear here does not end within the life of a test
const MANY = 3_000_000
const LINES = 300_000

describe('annotations of strangers', () => {
  it.each(['<!-- >', '<![CDATA[>'])('XML: pieces that are begun and never end (%s)', piece => {
    expect(() => parseXml(`<a>${piece.repeat(MANY)}`, 'a.xml')).toThrow('a.xml:1: this is no XML')
  })

  it('XML: whole ones are passed over as before', () => {
    const text = '<?xml version="1.0"?><!DOCTYPE a [x]><!-- > < --><a><!----><![CDATA[<]]>b</a>'
    expect(parseXml(text, 'a.xml')).toEqual({ name: 'a', children: [], text: '<b' })
  })

  it('label maps: blank lines', async () => {
    const names = await loadLabelMap(new TextEncoder().encode(`${'\n'.repeat(LINES)}cat`))
    expect(names.get(LINES)).toBe('cat')
    expect(await loadLabelMap(new TextEncoder().encode('\n \t item { name: "dog" label: 7 }'))).toEqual(
      new Map([[7, 'dog']]),
    )
  })

  const coco = (category: string, box = '[1,1,2,2]') =>
    `{"images": [{"id": 1, "file_name": "a", "width": 4, "height": 4}], "categories": [${category}],
      "annotations": [{"image_id": 1, "category_id": 1, "bbox": ${box}}]}`

  it('JSON: names and ids that are deep lists', () => {
    const deep = '['.repeat(50_000) + ']'.repeat(50_000)
    const labels = new Map([['1', 5]])
    expect(cocoPictures(coco(`{"id": 1, "name": ${deep}}`), 'c', labels)[0].objects[0].label).toBe(5)
    for (const id of [deep, 'null', '{}', 'true'])
      expect(() => cocoPictures(coco(`{"id": 1}, {"id": ${id}, "name": "a"}`), 'c')).toThrow('c: category 1 has no id')
  })

  it('boxes beyond what float32 tells apart', () => {
    for (const box of ['[1, 1, 1e308, 1e308]', '[1e308, 1e308, 1e308, 1e308]', '[-1e9, 0, 1, 1]'])
      expect(() => cocoPictures(coco('{"id": 1}', box), 'c')).toThrow(FormatError)
  })
})

describe('samplers of a stranger’s prototxt', () => {
  it('end, and are made of numbers', () => {
    expect(() => checkSamplers([{ max_trials: 4294967295, sampler: {} }])).toThrow(
      'batch_sampler: max_trials come to 4294967295 for every picture; at most 10000 are made',
    )
    expect(() => checkSamplers(Array.from({ length: 101 }, () => ({})))).toThrow(NetError)
    for (const [name, value] of [
      ['min_scale', Number.NaN],
      ['max_scale', Number.POSITIVE_INFINITY],
      ['min_aspect_ratio', -1],
    ] as const)
      expect(() => checkSamplers([{}, { sampler: { [name]: value } }])).toThrow(
        `batch_sampler 1: sampler.${name} is ${value}; it is a finite number from 0 on`,
      )
    expect(() => checkSamplers([{ max_trials: 50, sampler: { min_scale: 0.3, max_scale: 1 } }])).not.toThrow()
  })
})

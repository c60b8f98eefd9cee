import { describe, expect, test } from 'vitest'
import { readDatum, writeDatum } from '../../lib/proto/datum.js'
import { readMessage } from '../../lib/proto/wire.js'
import { Golden, type GoldenArray } from '../golden.js'
import { cases, slow } from './datum_records.js'
import { goldenBytes } from './helpers.js'

describe('records that Caffe wrote', () => {
  const golden = new Golden<{ protos: Record<string, { file: string; label: number; array: GoldenArray }> }>('io/io')

  test.each(['datum_bytes', 'datum_float'])('%s', name => {
    const { file, label, array } = golden.json.protos[name]
    const bytes = goldenBytes(`io/${file}`)
    const datum = readDatum(bytes)
    const [channels, height, width] = array.shape
    expect(datum).toMatchObject({ channels, height, width, label, encoded: false })
    expect(Array.from(datum.float_data ?? datum.data)).toEqual(Array.from(golden.array(array)))
    expect(writeDatum(readMessage('Datum', bytes))).toEqual(bytes)
    if (name === 'datum_bytes') expect(datum.data.buffer).toBe(bytes.buffer)
  })
})

describe('any record', () => {
  test.each(cases)('%o', datum => {
    const bytes = writeDatum(datum)
    expect(readDatum(bytes)).toEqual(slow(bytes))
    expect(readMessage('Datum', bytes)).toEqual(datum)
  })

  test('fields in any order, twice, unknown or packed', () => {
    const values = new Uint8Array(Float32Array.of(1.5).buffer)
    for (const bytes of [
      [0x35, ...values, 0x28, 3, 0x35, ...values],
      [0x32, 4, ...values],
      [0x28, 3, 0x28, 4],
      [0x22, 1, 7, 0x22, 2, 8, 9],
      [0x78, 1, 0x28, 4, 0xa2, 0x06, 1, 0],
      [0x28, 0x83, 0x80, 0x80, 0x80, 0x00],
    ])
      expect(readDatum(Uint8Array.from(bytes))).toEqual(slow(Uint8Array.from(bytes)))
  })

  test('data is a view, also of a record within a larger buffer', () => {
    const record = writeDatum({ data: Uint8Array.of(1, 2), float_data: Float32Array.of(2.5) })
    const page = new Uint8Array(100)
    page.set(record, 13)
    const datum = readDatum(page.subarray(13, 13 + record.length))
    expect(datum.float_data).toEqual(Float32Array.of(2.5))
    page[13 + 2] = 9
    expect(datum.data).toEqual(Uint8Array.of(9, 2))
  })
})

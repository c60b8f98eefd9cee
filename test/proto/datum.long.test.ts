import { expect, test } from 'vitest'
import { FormatError } from '../../lib/errors.js'
import { readDatum, writeDatum } from '../../lib/proto/datum.js'
import { RandomStream } from '../../lib/rng.js'
import { cases, slow } from './datum_records.js'

test('cut or with a bit changed: as by the general reader', () => {
  const random = new RandomStream(5, 'datum')
  const records = cases.map(writeDatum)
  let refused = 0
  for (let i = 0; i < 2000; i++) {
    const record = records[i % records.length].slice()
    const broken = i % 3 ? record : record.subarray(0, random.integer(record.length + 1))
    if (i % 3 && record.length) record[random.integer(record.length)] ^= 1 << random.integer(8)
    let expected: unknown
    try {
      expected = slow(broken)
    } catch {
      expect(() => readDatum(broken)).toThrow(FormatError)
      refused++
      continue
    }
    expect(readDatum(broken)).toEqual(expected)
  }
  expect(refused).toBeGreaterThan(100)
  expect(() => readDatum(Uint8Array.of(0x22, 5), { file: 'record 00012' })).toThrow('record 00012: byte 2 of 2')
})

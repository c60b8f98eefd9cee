import { describe, expect, test } from 'vitest'
import { bytes, duration, figure, parseSweep, percent, sweepText } from '../../../lib/studio/page/format.js'
import { passing } from '../../../lib/studio/page/jobs.js'
import { emptyForm, jobsMade, POLICIES, withoutGaps } from '../../../lib/studio/page/model_form.js'
import { model, summary } from './fake/jobs.js'

describe('numbers as a person reads them', () => {
  test('figures', () => {
    expect([0.123456, 0, 1234567, 0.00001234, Number.NaN, undefined].map(value => figure(value))).toEqual([
      '0.1235',
      '0',
      '1.23e+6',
      '1.23e-5',
      'NaN',
      '–',
    ])
    // a loss that is not finite came as JSON
    expect(figure(null)).toBe('NaN')
    expect(percent(0.99113)).toBe('99.11\u00a0%')
    expect([999, 1500, 49_800_192].map(bytes)).toEqual(['999 B', '1.5 kB', '50 MB'])
    expect([41, 61, 3723].map(duration)).toEqual(['0:41', '1:01', '1:02:03'])
  })

  test('one value or several, and nothing that is no number', () => {
    expect(parseSweep('0.01')).toBe(0.01)
    expect(parseSweep('0.01, 1e-3')).toEqual([0.01, 0.001])
    expect(parseSweep('0.01, x')).toBeUndefined()
    expect(parseSweep(' ')).toBeUndefined()
    expect(sweepText([0.01, 0.001])).toBe('0.01, 0.001')
  })
})

describe('the form of a model', () => {
  test('lists of values multiply, the shares of steps are one setting', () => {
    const form = emptyForm('d')
    expect(jobsMade(form)).toBe(1)
    const solver = { ...form.solver, rate: [0.1, 0.01], policy: POLICIES.multistep }
    expect(jobsMade({ ...form, seed: [1, 2, 3], solver })).toBe(6)
  })

  test('what was emptied is left out, so that what is usual holds', () => {
    expect(withoutGaps({ ...emptyForm('d'), crop: undefined })).not.toHaveProperty('crop')
  })
})

describe('filter of jobs', () => {
  const jobs = [
    summary(model('20261128-0000-aaaa', 'LeNet', { created: 1, starred: true })),
    summary(model('20261128-0001-bbbb', 'LeNet wide', { created: 3, group: 'wide', notes: 'twice as many' })),
    summary(model('20261128-0002-cccc', 'AlexNet', { created: 2, state: 'failed' })),
  ]
  const ids = (filter: object): string[] =>
    passing(jobs, { kind: '', text: '', group: '', state: '', ...filter }).map(({ id }) => id.slice(-4))

  test('starred ones stand first, then the newest', () => {
    expect(ids({})).toEqual(['aaaa', 'bbbb', 'cccc'])
  })

  test('all words must stand in name, notes, group or id', () => {
    expect(ids({ text: 'lenet' })).toEqual(['aaaa', 'bbbb'])
    expect(ids({ text: 'lenet twice' })).toEqual(['bbbb'])
    expect(ids({ text: '0002' })).toEqual(['cccc'])
    expect(ids({ state: 'failed' })).toEqual(['cccc'])
    expect(ids({ group: 'wide' })).toEqual(['bbbb'])
    expect(ids({ kind: 'dataset' })).toEqual([])
  })
})

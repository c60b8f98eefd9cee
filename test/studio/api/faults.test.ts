/** What a person reads whose form, body or address is not what it must be. */
import { describe, expect, test } from 'vitest'
import { checked, checkForm, creation, jobQuery } from '../../../lib/studio/api/schemas.js'
import { StudioError } from '../../../lib/studio/api/studio.js'

/** Faults by their paths. */
function faults(task: () => unknown): Record<string, string> {
  try {
    task()
  } catch (error) {
    expect(error).toBeInstanceOf(StudioError)
    const { faults, message, status } = error as StudioError
    expect(status).toBe(422)
    for (const { message: one } of faults) expect(message).toContain(one)
    return Object.fromEntries(faults.map(({ path, message }) => [path, message]))
  }
  throw new Error('nothing was refused')
}

const source = { from: 'folder', place: { path: '/photos' } }
const dataset = (more: object) => faults(() => checkForm('dataset', { name: 'd', source, ...more }))
const solver = { type: 'SGD', rate: 0.1, policy: { policy: 'fixed' } }
const model = (more: object) =>
  faults(() => checkForm('model', { name: 'm', dataset: '20261129-0131-k7f3', net: 'n', epochs: 1, solver, ...more }))

describe('a refused form', () => {
  test('names what is missing, and what it would be', () => {
    expect(faults(() => checkForm('dataset', {}))).toEqual({
      name: 'is missing: a text',
      source: 'is missing: { from: "folder" or "zip" or "idx" or "lists" or "lmdb", … }',
    })
    expect(dataset({ source: { place: source.place } })).toEqual({
      'source.from': 'is missing: "folder" or "zip" or "idx" or "lists" or "lmdb"',
    })
    expect(dataset({ source: { from: 'zip' } })).toEqual({ 'source.place': 'is missing: { upload } or { path }' })
  })

  test('names the field that was meant', () => {
    expect(dataset({ source: { from: 'folder', path: '/photos' } })).toEqual({
      'source.place': 'is missing: { upload } or { path }',
      'source.path': "there is no field 'path' here; did you mean 'place': { 'path': … }?; there are from, place",
    })
    expect(dataset({ widht: 3 })['widht']).toMatch(
      /^there is no field 'widht' here; did you mean 'width'\?; there are name/,
    )
    expect(model({ weights: { job: '20261129-0131-k7f3', iters: 1 } })).toEqual({
      'weights.iters': "there is no field 'iters' here; did you mean 'iter'?; there are job, iter",
    })
  })

  test('says what was expected and what stood there', () => {
    expect(dataset({ height: '28', width: 2.5, val: 1.5, gray: 1 })).toEqual({
      height: 'must be a number, not "28"',
      width: 'must be a whole number, not 2.5',
      val: 'must be at most 1, not 1.5',
      gray: 'must be true or false, not 1',
    })
    expect(model({ solver: { ...solver, type: 'sgd', policy: { policy: 'stp' } }, batch: [] })).toEqual({
      batch: 'has 0 values: at least 1',
      'solver.type': 'must be "SGD" or "Nesterov" or "AdaGrad" or "RMSProp" or "AdaDelta" or "Adam", not "sgd"',
      'solver.policy.policy': expect.stringMatching(/^must be "fixed" or "step" .* or "plateau", not "stp"$/),
    })
    expect(model({ dataset: 'photos' })).toEqual({ dataset: 'this is no id of a job: "photos"' })
    expect(faults(() => checkForm('dataset', null))['']).toMatch(/^must be \{ name, group\?, source, .*, not null$/)
  })

  test('looks into the alternative that was meant, or names them all', () => {
    expect(dataset({ source: { from: 'zip', place: { path: 7 } } })).toEqual({
      'source.place.path': 'must be a text, not 7',
    })
    expect(dataset({ source: { from: 'zip', place: { file: 'x' } } })).toEqual({
      'source.place': 'must be { upload } or { path }, not { file }',
    })
    const on = (on: unknown) => faults(() => checkForm('evaluation', { model: '20261129-0131-k7f3', on }))
    expect(on({})).toEqual({ on: 'must be { set, dataset? } or { pictures }, not {}' })
    expect(on({ set: 'trian' })).toEqual({ 'on.set': 'must be "train" or "val" or "test", not "trian"' })
    expect(on({ pictures: { path: 7 } })).toEqual({ 'on.pictures.path': 'must be a text, not 7' })
  })

  test('shows values shortened, and as one line', () => {
    const { resize, ...rest } = dataset({ resize: '\x1b]0;\n'.repeat(1000), ['\x1b'.repeat(1000)]: 1 })
    expect(resize.length).toBeLessThan(500)
    const [unknown] = Object.values(rest)
    expect(unknown.length).toBeLessThan(700)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(`${resize}${unknown}`).not.toMatch(/[\x00-\x1f]/)
  })
})

test('bodies and addresses are told alike', () => {
  expect(faults(() => checked(creation, { kind: 'data' }, 'the body'))).toEqual({
    kind: 'must be "dataset" or "model" or "evaluation" or "pretrained", not "data"',
    form: 'is missing',
  })
  expect(faults(() => checked(jobQuery, { kinds: 'model' }, 'the address'))).toEqual({
    kinds: "there is no field 'kinds' here; did you mean 'kind'?; there are kind, state, group, text",
  })
})

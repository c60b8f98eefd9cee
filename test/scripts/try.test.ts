import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../../lib/engines/index.js'
import { jsKernels } from '../../lib/engines/plain_loops.js'
import { layerTypes } from '../../lib/registry.js'
import { findSubject, kernelRow, startEngines } from '../../scripts/try/cases.js'
import { table } from '../../scripts/try/table.js'

describe('npm run try', () => {
  it.each([
    ['InnerProduct', 'InnerProduct'],
    ['inner_product', 'InnerProduct'],
    ['softmaxwithloss', 'SoftmaxWithLoss'],
    ['convolution', 'Convolution'],
  ])('%s is the layer %s, with the kernels that it calls', (name, type) => {
    const subject = findSubject(name)
    expect(subject.type).toBe(type)
    expect(subject.kernels.length).toBeGreaterThan(0)
  })

  it('finds a kernel, every layer type, and names what is near a name that is neither', () => {
    expect(findSubject('max_pool')).toEqual({ kernels: ['maxPool'] })
    for (const type of layerTypes()) expect(findSubject(type).type).toBe(type)
    expect(() => findSubject('Innerproduce')).toThrow(
      /no layer type and no kernel 'Innerproduce'; near it: InnerProduct$/,
    )
    expect(() => findSubject('pool')).toThrow(/near it: (?=.*\bPooling\b).*\bmaxPool\b/)
  })

  it('counts what passes, and says of a wrong kernel which case it was and what is right', async () => {
    const js = await createEngine('js')
    const right = await kernelRow(['tanh', 'tanhGradient'], js)
    expect(right).toMatchObject({ engine: 'js', what: 'kernels', worst: 0, failures: [] })
    expect(right!.passed).toBe(right!.cases)
    const wrong = await kernelRow(['tanh', 'tanhGradient'], {
      ...js,
      name: 'wrong',
      kernels: { ...js.kernels, tanh: jsKernels.sigmoid },
    })
    expect(wrong!.failures.length).toBe(wrong!.cases - wrong!.passed)
    expect(wrong!.failures.length).toBeGreaterThan(0)
    expect(wrong!.failures[0]).toMatch(/^tanh, .*value \d+ of \d+: .* where the plain loops give /)
  })

  it('keeps to a limit of time, and says how many cases that left out', async () => {
    const js = await createEngine('js')
    const whole = await kernelRow(['tanh'], js)
    const none = await kernelRow(['tanh'], js, -1)
    expect(none).toMatchObject({ cases: 0, passed: 0, failures: [] })
    expect(none!.left).toBeGreaterThan(0)
    expect(none!.left).toBeLessThanOrEqual(whole!.cases)
  })

  it('says of an engine that does not start here why', async () => {
    const { engines, missing } = await startEngines(['js', 'no-such-engine'])
    expect(engines.map(({ name }) => name)).toEqual(['js'])
    expect(missing).toEqual([expect.stringMatching(/^no-such-engine: there is no engine 'no-such-engine'/)])
  })

  it('prints a table', () => {
    const row = { engine: 'js', what: 'golden', cases: 3, passed: 2, worst: 0.031, ms: 12.6, failures: ['x'] }
    expect(table([row, { ...row, engine: 'gpu:webasm', worst: undefined }])).toBe(
      [
        'engine      what    cases  passed  worst of allowed  ms',
        'js          golden      3       2               3 %  13',
        'gpu:webasm  golden      3       2                    13',
      ].join('\n'),
    )
  })

  it('runs as a program: every engine, the own tests of the layer, an exit code', { tags: 'ci' }, () => {
    const run = (name: string) =>
      spawnSync(process.execPath, ['scripts/try.mjs', name], { encoding: 'utf8', timeout: 110_000 })
    const { status, stdout, stderr } = run('absval')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    for (const engine of ['js', 'wasm', 'gpu:webasm', 'gpu:cpu'])
      expect(stdout).toMatch(new RegExp(`^${engine} +golden +(\\d+) +\\1 `, 'm'))
    expect(stdout).toMatch(/^wasm +test\/layers\/absval\.test\.ts +(\d+) +\1 /m)
    const unknown = run('absvall')
    expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringMatching(/near it: AbsVal\n$/)])
  })
})

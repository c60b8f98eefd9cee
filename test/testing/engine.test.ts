import { expect, test } from 'vitest'
import type { DeviceEngine, Engine, HostEngine, Kernels } from '../../lib/engine.js'
import { createEngine } from '../../lib/engines/index.js'
import { kernelCases } from '../../lib/testing/kernel_cases/index.js'
import { checkEngine, EngineCheckError } from '../../lib/testing.js'

const withKernels = (engine: HostEngine, kernels: Partial<Kernels>): HostEngine => ({
  ...engine,
  name: 'mine',
  kernels: { ...engine.kernels, ...kernels },
})
const refusal = (engine: Engine, kernels: (keyof Kernels)[]): Promise<unknown> =>
  checkEngine(engine, { kernels }).catch((error: unknown) => error)

test.each(['js', 'wasm'])('%s passes, and the report says what was compared', { tags: 'long' }, async engine => {
  const kernels = ['relu', 'softmax', 'addBias'] as const
  const report = await checkEngine(engine, { kernels, threads: 2 })
  expect(report.engine).toBe(engine)
  expect(report.results.map(({ kernel }) => kernel)).toEqual(kernels)
  for (const { cases, worst } of report.results) {
    expect(cases).toBeGreaterThan(2)
    expect(worst).toBeLessThanOrEqual(1)
  }
  expect(report.missing).toEqual([])
})

test('every kernel of the contract has cases', async () => {
  const { kernels } = await createEngine('js')
  expect(Object.keys(kernels).filter(name => !kernelCases[name as keyof Kernels]?.length)).toEqual([])
})

test('a kernel that is wrong, or throws, is named with the place and what is right', { tags: 'long' }, async () => {
  const js = await createEngine('js')
  const wrong = withKernels(js, {
    relu(n, _slope, x, y) {
      js.kernels.relu(n, 0, x, y)
    },
    tanh() {
      throw new Error('no such function')
    },
  })
  const error = await refusal(wrong, ['relu', 'tanh', 'sigmoid'])
  expect(error).toBeInstanceOf(EngineCheckError)
  const { message, report } = error as EngineCheckError
  expect(message).toMatch(
    /^engine mine: 2 of 3 kernels give other values than the plain loops\nrelu: .* where the plain loops give/,
  )
  expect(message).toContain('tanh: no such function')
  expect(report.results.map(({ worst }) => worst <= 1)).toEqual([false, true, true])
})

test('a kernel that forgets what is to be done afterwards is wrong, unless the engine says that it takes nothing', {
  tags: 'long',
}, async () => {
  const js = await createEngine('js')
  const forgetful = withKernels(js, {
    addBias(batch, channels, inner, bias, y) {
      js.kernels.addBias(batch, channels, inner, bias, y)
    },
  })
  expect(await refusal(forgetful, ['addBias'])).toBeInstanceOf(EngineCheckError)
  const honest = { ...forgetful, fuses: { ...js.fuses, addBias: ['clip'] as const } }
  expect(await refusal(honest, ['addBias'])).toBeInstanceOf(EngineCheckError)
  await checkEngine({ ...forgetful, fuses: { ...js.fuses, addBias: [] } }, { kernels: ['addBias'] })
  await checkEngine({ ...forgetful, fuses: undefined }, { kernels: ['addBias'] })
})

test('what a device has not got is reported', async () => {
  const host = await createEngine('js')
  const { relu, fill } = host.kernels
  const device: DeviceEngine = { ...host, name: 'toy', isHost: false, host, kernels: { relu, fill } }
  const report = await checkEngine(device)
  expect(report.results.map(({ kernel }) => kernel).sort()).toEqual(['fill', 'relu'])
  expect(report.missing).toContain('gemm')
  expect(report.missing).toHaveLength(Object.keys(host.kernels).length - 2)
})

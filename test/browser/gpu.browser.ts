import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { onEveryDevice } from '../../lib/testing/kernel_cases/run.js'
import { oddKernels, textOf } from '../engines/odd_kernels.js'
import { expectClose, goldenPath } from '../golden.js'
import { share } from '../turns.js'
import { bundle, chromiumPath, openSite, type Site, viteBundle } from './harness.js'
import type { tests } from './page.js'

type Page = typeof tests

const modes = ['webgl2', 'webgpu', 'webgl'] as const
const images = [...readFileSync(goldenPath('io/mnist_200-images-idx3-ubyte')).subarray(16)].map(v => v / 256)
const labels = [...readFileSync(goldenPath('io/mnist_200-labels-idx1-ubyte')).subarray(8)]

/** The part of WebGPU that compiles. */
interface GpuOfPage {
  requestAdapter(): Promise<{ requestDevice(): Promise<DeviceOfPage> }>
}
interface DeviceOfPage {
  createShaderModule(of: { code: string }): { getCompilationInfo(): Promise<{ messages: { type: string }[] }> }
}

let site: Site

/** Call one of the page's functions. */
function call<Name extends keyof typeof tests>(
  name: Name,
  ...args: Parameters<(typeof tests)[Name]>
): Promise<Awaited<ReturnType<(typeof tests)[Name]>>> {
  return site.page.evaluate(
    ([which, given]) => {
      const { tests } = globalThis as unknown as { tests: Record<string, (...all: unknown[]) => unknown> }
      return tests[which](...given)
    },
    [name, args] as const,
  ) as Promise<Awaited<ReturnType<(typeof tests)[Name]>>>
}

describe.skipIf(chromiumPath === undefined)('in Chromium with software devices', () => {
  beforeAll(async () => {
    site = await openSite({ '/main.js': await bundle('test/browser/page.ts') })
    await site.page.waitForFunction(() => 'tests' in globalThis)
  })
  afterAll(() => site?.close())

  test.each(['wasm', 'gpu:webgl2'])('an ONNX model is read, run and written on %s', async engine => {
    const layer = (type: string, bottom: string, top: string, more = '') =>
      `layer { name: "${top}_${type}" type: "${type}" bottom: "${bottom}" top: "${top}" ${more} }`
    const fillers = 'weight_filler { type: "xavier" } bias_filler { type: "uniform" }'
    const net = await Net.create(
      parseNet(`layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 6 dim: 7 } } }
        ${layer('Convolution', 'x', 'c', `convolution_param { num_output: 4 kernel_size: 3 stride: 2 ${fillers} }`)}
        ${layer('HardSwish', 'c', 'c')}
        ${layer('Padding', 'c', 'p', 'padding_param { before: 1 after: 2 mode: EDGE }')}
        ${layer('Resize', 'p', 'y', 'resize_param { scale: 2 scale: 1.5 method: LINEAR }')}`),
      { engine: 'js', seed: 3 },
    )
    const x = Array.from({ length: 2 * 3 * 6 * 7 }, (_, i) => Math.sin(i * 1.7))
    const { y } = await net.forward({ x })
    const bytes = [...(await net.toBytes({ format: 'onnx' }))]
    const got = await call('onnx', engine, bytes, x)
    expect(got.shape).toEqual(y.shape)
    expectClose(got.values, y.data, 1e-5, 1e-6, 'y')
    expect(got.again).toEqual(bytes)
    net.dispose()
  })

  test('what a mode needs and does not find here is said', async () => {
    expect((await call('start', 'gpu:headlessgl')).error).toMatch(
      /^EngineError: engine 'gpu:headlessgl' cannot run here: headless GL is for Node/,
    )
  })

  test("'gpu' takes no adapter that computes on the processor; by name it can be had", async () => {
    const { error, name } = await call('start', 'gpu')
    expect(name).toBeUndefined()
    expect(error).toMatch(/^EngineError: engine 'gpu': no device works here/)
    expect(error).toMatch(
      /webgpu: its adapter is no GPU \(.*swiftshader.*\) and slower than wasm; ask for gpu:webgpu by name/i,
    )
    expect(error).toMatch(/webgl2: its adapter is no GPU \(.*swiftshader/i)
  })

  test('what Node makes of kernels for WebGPU compiles here', async () => {
    const texts: Record<string, string> = {}
    for (const name of Object.keys(oddKernels)) texts[name] = (await textOf(name)).wgsl
    // and one that does not, lest nothing be looked at
    texts.wrong = 'fn f() -> f32 { return nowhere; }'
    const refused = await site.page.evaluate(async given => {
      const { gpu } = navigator as unknown as { gpu: GpuOfPage }
      const device = await (await gpu.requestAdapter()).requestDevice()
      const found: string[] = []
      for (const [name, code] of Object.entries(given)) {
        const { messages } = await device.createShaderModule({ code }).getCompilationInfo()
        if (messages.some(({ type }) => type === 'error')) found.push(name)
      }
      return found
    }, texts)
    expect(refused).toEqual(['wrong'])
  })

  test('webgl2 reads back through a buffer and a fence, so that the page goes on', async () => {
    const { into, loss } = await call('readBack', 'gpu:webgl2', 4, images, labels)
    expect(into).toEqual(['number'])
    expect(loss).toBeCloseTo((await call('readBack', 'wasm', 4, images, labels)).loss, 4)
  })

  describe.each(modes)('%s', mode => {
    test('starts and names its adapter', async () => {
      const { name, detail, error } = await call('start', `gpu:${mode}`)
      expect(error).toBeUndefined()
      expect(name).toBe(`gpu:${mode}`)
      expect(detail).toMatch(/swiftshader/i)
    })

    // each kernel is compiled by each device; of its cases, each computes a third
    test.each(onEveryDevice)('%s agrees with the plain loops', async kernel => {
      const [{ worst, at, error }] = await call('kernels', mode, [kernel], share(modes.indexOf(mode), modes.length))
      expect(error).toBeUndefined()
      expect(worst, at).toBeLessThanOrEqual(1)
    })

    test("kernels of users' own agree with plain loops", async () => {
      expect(await call('ownKernels', mode)).toEqual([])
    })

    test('a label that is no class makes the loss infinite', async () => {
      const losses = await call('noClass', mode)
      expect(losses).toHaveLength(12)
      for (const [which, finite] of losses) expect(finite, which).toBe(false)
    })

    test('a label that is no class and is sent up is refused', async () => {
      expect(await call('refuse', mode)).toMatch(/^NetError: .*label 0 of 'y' is 3: labels count from 0 to 2/)
    })

    test('an LSTM goes on from a snapshot, bit by bit', async () => {
      const { straight, again } = await call('resume', mode)
      expect(again).toEqual(straight)
    })

    test('tensors of more than 2^24 values keep their places', async () => {
      expect(await call('large', mode)).toEqual([])
    })

    test('LeNet, 6 iterations: the losses of wasm; data and labels go up, nothing comes down', async () => {
      const expected = await call('train', 'wasm', 6, 4, images, labels)
      const got = await call('train', `gpu:${mode}`, 6, 4, images, labels)
      expect(got.engines).toEqual([`gpu:${mode}`])
      got.losses.forEach((loss, i) => {
        expect(Math.abs(loss - expected.losses[i]), `iteration ${i}: ${expected.losses[i]}`).toBeLessThan(1e-4)
      })
      expect(got.moved).toMatchObject({ uploads: 2, uploadedBytes: 4 * 4 * 785, downloads: 0 })
    })
  })
})

describe.skipIf(chromiumPath === undefined)('a page built by Vite for production', () => {
  let built: Site
  beforeAll(async () => {
    built = await openSite({ '/main.js': await viteBundle('test/browser/page.ts') })
    await built.page.waitForFunction(() => 'tests' in globalThis)
  })
  afterAll(() => built?.close())

  // all are compiled as WebGPU has them, which checks types that GLSL lets pass; users' own on both
  test.each([
    ['webgpu', onEveryDevice],
    ['webgl2', onEveryDevice.filter((_, i) => i % 4 === 0)],
  ] as const)('kernels compile on %s and agree with the plain loops', async (mode, kernels) => {
    const wrong = await built.page.evaluate(
      async ([which, names]) => {
        const { tests } = globalThis as unknown as { tests: Page }
        const results = await tests.kernels(which, [...names], { part: 0, of: 4 })
        const builtIn = results.filter(({ error, worst }) => error !== undefined || !(worst <= 1))
        return [...builtIn, ...(await tests.ownKernels(which))]
      },
      [mode, kernels] as const,
    )
    expect(wrong).toEqual([])
  })
})

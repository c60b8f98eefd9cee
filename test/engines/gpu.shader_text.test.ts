import { describe, expect, it, test } from 'vitest'
import { gpuJs } from '../../lib/engines/gpu/gpujs.js'
import { shaderText } from '../../lib/engines/gpu/shader_text.js'
import { createEngine } from '../../lib/engines/index.js'
import { EngineError } from '../../lib/errors.js'
import { oddKernels, textOf } from './odd_kernels.js'

describe('kernels become text for both shader languages without a device', () => {
  it.each(Object.keys(oddKernels))('%s', async name => {
    const { wgsl, glsl } = await textOf(name)
    expect(wgsl).toMatch(/@compute @workgroup_size\(\d+, \d+, \d+\)\nfn main\(/)
    expect(wgsl).toContain('result[data_index] = ')
    expect(glsl).toMatch(/void kernel\(\) \{/)
    expect(glsl).toContain('kernelResult = ')
    for (const text of [wgsl, glsl]) expect(text).not.toMatch(/\b(?:undefined|null|NaN|Infinity)\b/)
  })

  test('what a translator refuses names kernel and language', async () => {
    const lib = await gpuJs()
    const refused = () =>
      shaderText('mine', 'function (a) { return nowhere(a) }', { output: [1], functions: [], constants: {} }, [1], lib)
    expect(refused).toThrow(EngineError)
    expect(refused).toThrow(/^kernel 'mine' cannot be translated to WGSL: /)
  })

  test('the engines without a device translate what they run', async () => {
    const lib = await gpuJs()
    const translated: string[] = []
    const { translateSource } = lib.WebGPUKernel.prototype
    lib.WebGPUKernel.prototype.translateSource = function () {
      translated.push('WGSL')
      return translateSource.call(this)
    }
    try {
      const engine = await createEngine('gpu:cpu')
      const { Net, parseNet } = await import('../../lib/index.js')
      const net = await Net.create(
        parseNet('input: "x" input_shape { dim: 2 dim: 3 } layer { name: "s" type: "Mish" bottom: "x" top: "y" }'),
        { engine },
      )
      await net.forward({ x: [1, 2, 3, 4, 5, 6] })
      net.dispose()
    } finally {
      lib.WebGPUKernel.prototype.translateSource = translateSource
    }
    expect(translated.length).toBeGreaterThan(0)
  })
})

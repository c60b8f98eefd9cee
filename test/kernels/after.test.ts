import { expect, test } from 'vitest'
import type { After, ConvolutionShape, Kernels } from '../../lib/engine.js'
import { jsKernels } from '../../lib/engines/plain_loops.js'
import { preparedConvolutions } from '../../lib/engines/wasm/bind/convolution.js'
import { wasmKernels } from '../../lib/engines/wasm/bind/index.js'
import { createPool } from '../../lib/engines/wasm/pool.js'
import { wasmRuntime } from '../../lib/engines/wasm/runtime.js'
import { Memory } from '../../lib/memory.js'

const runtime = await wasmRuntime()
const { exports } = await createPool(runtime, 1)
const kernels = { ...jsKernels, ...wasmKernels(exports) } as Kernels
const prepared = preparedConvolutions(exports, false)

/** Of no heap: what lies there no memory has, so that whoever touches it traps. */
const nowhere = new Memory(64, { allocate: n => ({ array: new Float32Array(n), pointer: 0xfffffe00 }), release() {} })

const shape = (side: number, channels: number): ConvolutionShape => ({
  ...{ batch: 1, channels, outputs: channels, group: 1, input: [side, side], output: [side, side] },
  ...{ kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1] },
})
const [small, winograd] = [shape(4, 2), shape(16, 64)]
const to: After = { relu: 0 }

test.each<[string, () => void]>([
  ['convolution', () => kernels.convolution(small, nowhere, nowhere, null, nowhere, to)],
  ['prepared convolution', () => prepared.convolution(winograd, nowhere, nowhere, null, nowhere, to)],
  ['eltwiseSum', () => kernels.eltwiseSum(8, [nowhere, nowhere], [1, 1], nowhere, to)],
  ['scaleChannels', () => kernels.scaleChannels(1, 8, 1, nowhere, nowhere, null, nowhere, to)],
  ['normalizeChannels', () => kernels.normalizeChannels(1, 8, 1, nowhere, nowhere, nowhere, nowhere, to)],
  ['addBias', () => kernels.addBias(1, 8, 1, nowhere, nowhere, to)],
])('%s with a ReLU that traps does not leave the ReLU to the next kernel', (_name, call) => {
  expect(prepared.length(winograd)).toBeGreaterThan(0)
  expect(call).toThrow(WebAssembly.RuntimeError)
  const [bias, y] = [8, 8].map(n => new Memory(n, runtime.heap))
  bias.array.fill(-1)
  kernels.addBias(1, 8, 1, bias, y)
  expect([...y.array]).toEqual(Array(8).fill(-1))
})

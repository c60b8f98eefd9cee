import { expect, test } from 'vitest'
import { Blob } from '../../lib/blob.js'
import type { GPUBufferLike, GPUDeviceLike } from '../../lib/engines/gpu/gpujs.js'
import { BufferPool } from '../../lib/engines/gpu/webgpu_pool.js'
import { createGpuEngine } from '../../lib/engines/gpu.js'
import { EngineError } from '../../lib/errors.js'
import { gpuKernel, type Tensor, view } from '../../lib/gpu_kernel.js'
import { Net, parseNet, registerLayer } from '../../lib/index.js'
import { Layer } from '../../lib/layer.js'
import { Memory } from '../../lib/memory.js'
import { checkLayer } from '../../lib/testing.js'

const twice = gpuKernel('twice', function (x: Tensor) {
  return 2 * x[this.thread.z][this.thread.y][this.thread.x]
})

test('what run is given must be memories, views that fit them, and numbers', async () => {
  const engine = await createGpuEngine('webasm')
  const blob = new Blob([6], engine.heap, 'x')
  const x = blob.memory.data
  const y = new Memory(6, engine.heap)
  const refused: [unknown[], unknown, RegExp][] = [
    [[blob], y, /argument 1 is a Blob; give blob\.memory\.data or blob\.memory\.diff/],
    [[blob.dataArray], y, /argument 1 is an array; put its values into a Blob/],
    [[[1, 2]], y, /argument 1 is an array/],
    [[blob.data], y, /argument 1 is a host array; give blob\.memory\.data/],
    [[x, true], y, /argument 2 is true/],
    [[x, undefined], y, /argument 2 is undefined/],
    [[x], blob, /its output is a Blob/],
    [[x], undefined, /its output is undefined/],
    [[view(x, 7)], y, /argument 1 is a view of 7 × 1 × 1 = 7 values, but its memory has 6/],
    [[x], view(y, 4, 2), /its output is a view of 4 × 2 × 1 = 8 values, but its memory has 6/],
    [[x], view(y, 4), /its output is a view of 4 × 1 × 1 = 4 values of a memory of 6: run replaces all of it/],
    [[view(x, 1.5)], y, /argument 1 is a view of 1\.5 × 1 × 1: three whole numbers/],
    [[view(x, -1)], y, /argument 1 is a view of -1 × 1 × 1: three whole numbers/],
  ]
  for (const [args, out, message] of refused) {
    const run = () => engine.run!(twice, args as Memory[], out as Memory)
    expect(run).toThrow(EngineError)
    expect(run).toThrow(message)
    expect(run).toThrow(/^kernel 'twice': /)
  }
  expect(() => engine.run!(twice, x as never, y)).toThrow(/its arguments are an array/)
  expect(() => engine.run!(twice, [x], y, { n: Number.NaN })).toThrow(/constant 'n' is NaN: constants are finite/)
  expect(() => engine.run!(((v: number) => v) as never, [x], y)).toThrow(
    /not a function; gpuKernel makes a kernel of it/,
  )
  // a part may be read, and a workspace be longer than what is used of it
  blob.dataArray.set([1, 2, 3, 4, 5, 6])
  engine.scratch(100)
  engine.run!(twice, [view(x, 2)], view(engine.scratch(2), 2))
  engine.run!(twice, [view(engine.scratch(2), 2)], view(new Memory(2, engine.heap), 2))
  await engine.finish!()
})

test('what fails on the device names engine, layer and kernel', async () => {
  const unknown = gpuKernel('broken', function (x: Tensor) {
    return x[0][0][this.thread.x] * this.constants.factor
  })
  class BrokenLayer extends Layer {
    static override readonly gpu = [unknown]
    reshape(bottom: Blob[], top: Blob[]): void {
      top[0].reshapeLike(bottom[0])
    }
    override forward(bottom: Blob[], top: Blob[]): void {
      this.run(unknown, [bottom[0].memory.data], top[0].memory.data)
    }
  }
  registerLayer('BrokenKernel', BrokenLayer)
  const text = `layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 3 } } }
    layer { name: "mine" type: "BrokenKernel" bottom: "x" top: "y" }`
  const net = await Net.create(parseNet(text), { engine: 'gpu:webasm' })
  await expect(net.forward({ x: [1, 2, 3] })).rejects.toThrow(
    /^layer 'mine' \(BrokenKernel\): kernel 'broken': 'this\.constants\.factor': run was given no constants/,
  )
  net.dispose()
})

test('a layer that forgets static gpu is told so', async () => {
  class ForgetfulLayer extends Layer {
    reshape(bottom: Blob[], top: Blob[]): void {
      top[0].reshapeLike(bottom[0])
    }
    override forward(bottom: Blob[], top: Blob[]): void {
      this.run(twice, [bottom[0].memory.data], top[0].memory.data)
    }
  }
  await expect(checkLayer(ForgetfulLayer, { bottoms: [[3]], backward: false, engine: 'gpu:webasm' })).rejects.toThrow(
    /its class names none: static gpu = \[kernel, …\] in ForgetfulLayer keeps it on the device/,
  )
})

test('checkLayer finds a layer that names kernels and reads host arrays', async () => {
  class PeekingLayer extends Layer {
    static override readonly gpu = [twice]
    reshape(bottom: Blob[], top: Blob[]): void {
      top[0].reshapeLike(bottom[0])
    }
    override forward(bottom: Blob[], top: Blob[]): void {
      const from = bottom[0].dataArray
      top[0].dataArray.set(from.map(v => 2 * v))
    }
  }
  const options = { bottoms: [[3, 2]], backward: false }
  await checkLayer(PeekingLayer, { ...options, engine: 'wasm' })
  await expect(checkLayer(PeekingLayer, { ...options, engine: 'gpu:webasm' })).rejects.toThrow(
    /values of .*bottom\[0\].* are on the gpu:webasm engine/,
  )
})

test('a pool keeps what a net in training needs again, and nothing once nobody holds anything', () => {
  const alive = new Set<GPUBufferLike>()
  const device = {
    createBuffer({ size }: { size: number }) {
      const buffer = { size, destroy: () => void alive.delete(buffer) } as unknown as GPUBufferLike
      alive.add(buffer)
      return buffer
    },
  } as unknown as GPUDeviceLike
  let emptied = 0
  const pool = new BufferPool(
    device,
    () => {},
    () => emptied++,
  )
  const weights = [1000, 2000].map(size => pool.take(size))
  for (let i = 0; i < 3; i++) for (const buffer of [4000, 8000].map(size => pool.take(size))) pool.give(buffer)
  expect(alive.size).toBe(4)
  expect(emptied).toBe(0)
  for (const buffer of weights) pool.give(buffer)
  expect(alive.size).toBe(0)
  expect(emptied).toBe(1)
})

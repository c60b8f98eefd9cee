/**
 * Nothing grows: not the shared memory, not what is taken of it, not the process, over passes, input sizes and
 * forgotten nets.
 */
import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { WasmHeap } from '../../lib/engines/wasm/allocator.js'
import { Net } from '../../lib/net.js'
import { parseNet, parseSolver } from '../../lib/proto/text.js'
import { createSolver } from '../../lib/solver/rules/index.js'
import { bundled } from '../bundled.js'
import { inputLayer } from '../shapes.js'
import { lenet } from './lenet.js'

const MiB = 2 ** 20

/**
 * Bytes of the heap: the memory's size, and what is in use of it once arrays that nobody holds have come back. In the turn
 * in which a weak reference to one was made it is held.
 */
const usage = async (heap: WasmHeap) => {
  await new Promise(resolve => setImmediate(resolve))
  heap.reclaim()
  return { size: heap.memory.buffer.byteLength, used: heap.memory.buffer.byteLength - heap.free }
}

/** `full` takes as many as leave no doubt, else as few as show it. */
export function checkLeaks(full: boolean): void {
  const [steps, sizes, cycles, forgotten] = full ? [1000, 200, 50, 500] : [200, 50, 10, 100]

  describe('memory', () => {
    it(`stays as it is over ${steps} training steps of LeNet`, async () => {
      const solver = await createSolver(parseSolver(lenet(2)), { engine: 'wasm', threads: 2, seed: 1 })
      const heap = solver.net.engine.heap as WasmHeap
      for (const name of solver.net.inputs) solver.net.blobs[name].dataArray.fill(1)
      await solver.step(20)
      const before = await usage(heap)
      const resident = process.memoryUsage.rss()
      await solver.step(steps)
      expect(await usage(heap)).toEqual(before)
      expect((process.memoryUsage.rss() - resident) / MiB).toBeLessThan(40)
      solver.dispose()
    })

    it(`stays as it is over ${sizes} input sizes, forward and backward, once all of them have been seen`, async () => {
      const net = await Net.create(
        parseNet(`
        force_backward: true
        ${inputLayer('data', '1×3×16×16')}
        layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }
        layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
        layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
        layer { name: "conv2" type: "Convolution" bottom: "pool" top: "conv2" convolution_param { num_output: 8 kernel_size: 5 } }`),
        { engine: 'wasm', threads: 2, seed: 1 },
      )
      const heap = net.engine.heap as WasmHeap
      const round = async () => {
        // no two of them alike
        for (let i = 0; i < sizes; i++) {
          net.blobs.data.reshape([1 + (i % 3), 3, 16 + ((i * 7) % 40), 16 + ((i * 11) % 25)])
          net.blobs.data.dataArray.fill(1)
          await net.forward()
          await net.backward()
        }
      }
      await round()
      const before = await usage(heap)
      const resident = process.memoryUsage.rss()
      for (let i = 0; i < 2; i++) await round()
      expect(await usage(heap)).toEqual(before)
      expect((process.memoryUsage.rss() - resident) / MiB).toBeLessThan(40)
      net.dispose()
    })

    it('comes back from nets that were disposed, to the byte', async () => {
      const make = () =>
        Net.create(parseSolver(lenet(16)).net_param!, { engine: 'wasm', threads: 2, seed: 1, phase: 'TRAIN' })
      const cycle = async () => {
        const net = await make()
        for (const name of net.inputs) net.blobs[name].dataArray.fill(1)
        await net.forward()
        await net.backward()
        net.dispose()
      }
      await cycle()
      const { engine } = await make().then(net => {
        net.dispose()
        return net
      })
      const before = await usage(engine.heap as WasmHeap)
      for (let i = 0; i < cycles; i++) await cycle()
      const { size, used } = await usage(engine.heap as WasmHeap)
      expect(used).toBe(before.used)
      // inputs that a program had its hands on come back when the collector has seen them
      expect(size).toBeLessThan(2 * before.size)
    })

    it(`comes back from ${forgotten} nets that were forgotten`, async () => {
      const script = await bundled('test/engines/leaks_child.ts')
      const child = spawn(process.execPath, ['--expose-gc', script, String(forgotten)], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let output = ''
      let errors = ''
      child.stdout.on('data', data => (output += data))
      child.stderr.on('data', data => (errors += data))
      const code = await new Promise(resolve => child.once('close', resolve))
      expect(errors).toBe('')
      expect(code).toBe(0)
      const { net, before, after, residentBefore, residentAfter } = JSON.parse(output) as Record<string, number>
      // without their memory coming back, 500 nets would hold that many times what one of them takes
      expect(net).toBeGreaterThan(MiB)
      expect(after - before).toBeLessThan(3 * net)
      expect((residentAfter - residentBefore) / MiB).toBeLessThan(60)
    })
  })
}

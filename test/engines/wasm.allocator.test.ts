import { describe, expect, it } from 'vitest'
import { WasmHeap } from '../../lib/engines/wasm/allocator.js'
import { EngineError } from '../../lib/errors.js'
import { type Block, Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'
import { garbageCollector } from '../../lib/system/garbage.js'

const PAGE = 65536

function heapOf(maximum: number, collect?: () => void): WasmHeap {
  return new WasmHeap(new WebAssembly.Memory({ initial: 2, maximum, shared: true }), maximum * PAGE, collect)
}

const macrotask = () => new Promise(resolve => setImmediate(resolve))
const MIB = 2 ** 20

/** A plain loop: `every` takes most of the time of tests that look at millions of values. */
function isAll(array: Float32Array, value: number): boolean {
  for (let i = 0; i < array.length; i++) if (array[i] !== value) return false
  return true
}

describe('blocks that are forgotten', () => {
  it('are found before the memory grows by much, and before more is refused', async () => {
    const collect = await garbageCollector()
    let collections = 0
    const heap = heapOf((160 * MIB) / PAGE, () => {
      collections++
      collect?.()
    })
    const kept = heap.allocate((16 * MIB) / 4)
    kept.array.fill(7)
    for (let i = 0; i < 1024; i++) {
      heap.allocate(MIB / 4).array.fill(1)
      // references from the turn under way keep their targets
      await macrotask()
    }
    // a GiB went through 160 MiB, and not by way of a collection for each block
    expect(heap.memory.buffer.byteLength).toBeLessThanOrEqual(128 * MIB)
    expect(collections).toBeGreaterThan(5)
    expect(collections).toBeLessThan(32)
    expect(kept.array.every(value => value === 7)).toBe(true)
    await macrotask()
    expect(heap.allocate((140 * MIB) / 4).array[0]).toBe(0)
    heap.release(kept)
  })

  it('are not given back twice: what was released is somebody else’s', async () => {
    const collect = await garbageCollector()
    const heap = heapOf(1024, collect)
    let block: Block | undefined = heap.allocate(64)
    const { pointer } = block
    heap.release(block)
    block = undefined
    const other = heap.allocate(64)
    expect(other.pointer).toBe(pointer)
    await macrotask()
    heap.reclaim()
    expect(heap.allocate(64).pointer).not.toBe(pointer)
    expect(other.array.every(value => value === 0)).toBe(true)
  })

  it('where nothing collects, growth is as ever', () => {
    const heap = heapOf(4096)
    heap.reclaim()
    for (let i = 0; i < 200; i++) heap.allocate(MIB / 4)
    expect(heap.memory.buffer.byteLength).toBeGreaterThanOrEqual(200 * MIB)
  })
})

describe('the wasm heap', () => {
  it('gives out aligned zeroed blocks that never overlap, and merges what comes back', () => {
    const heap = heapOf(2048)
    const random = new RandomStream(3, 'allocator')
    const live: { block: Block; mark: number }[] = []
    for (let step = 1; step <= 20_000; step++) {
      if (live.length < 5 || (live.length < 200 && random.uniform() < 0.55)) {
        const length = random.uniform() < 0.1 ? random.integer(50_000) : random.integer(600)
        const block = heap.allocate(length)
        if (block.pointer % 64 !== 0 || block.array.length !== length)
          expect.fail(`a block of ${block.array.length} values at ${block.pointer} for ${length} at step ${step}`)
        if (!isAll(block.array, 0)) expect.fail(`block of ${length} values at step ${step} is not zeroed`)
        block.array.fill(step)
        live.push({ block, mark: step })
      } else {
        const [{ block, mark }] = live.splice(random.integer(live.length), 1)
        // whoever overlapped would have written its own mark
        if (!isAll(block.array, mark))
          expect.fail(`a block of ${block.array.length} values was overwritten before step ${step}`)
        heap.release(block)
      }
    }
    for (const { block, mark } of live) {
      expect(block.array.every(v => v === mark)).toBe(true)
      heap.release(block)
    }
    // all of it is one range again: everything below the guard fits one block
    const size = heap.memory.buffer.byteLength
    const all = heap.allocate((size - PAGE - 64) / 4)
    expect(heap.memory.buffer.byteLength).toBe(size)
    expect(all.array.every(v => v === 0)).toBe(true)
  })

  it('does not grow over 10,000 cycles of the same work', () => {
    const heap = heapOf(2048)
    const cycle = () => {
      const blocks = [1000, 20, 50_000, 3, 777].map(n => heap.allocate(n))
      for (const i of [2, 0, 4, 1, 3]) heap.release(blocks[i])
    }
    cycle()
    const size = heap.memory.buffer.byteLength
    const free = heap.free
    for (let i = 0; i < 10_000; i++) cycle()
    expect(heap.memory.buffer.byteLength).toBe(size)
    expect(heap.free).toBe(free)
  })

  it('keeps old views valid when it grows', () => {
    const heap = heapOf(2048)
    const first = heap.allocate(1000)
    first.array.fill(7)
    const { pointer, array } = first
    heap.allocate(2_000_000)
    expect(new Float32Array(heap.memory.buffer, pointer, 1000).every(v => v === 7)).toBe(true)
    array[0] = 8
    expect(new Float32Array(heap.memory.buffer, pointer, 1)[0]).toBe(8)
  })

  it('ignores a second release of the same block', () => {
    const heap = heapOf(2048)
    const block = heap.allocate(10)
    heap.release(block)
    const free = heap.free
    heap.release(block)
    expect(heap.free).toBe(free)
    const [a, b] = [heap.allocate(10), heap.allocate(10)]
    expect(a.pointer).not.toBe(b.pointer)
  })

  it('names what was asked for and the limit when there is no more memory', () => {
    const heap = heapOf(16)
    expect(() => heap.allocate(1_000_000)).toThrow(EngineError)
    expect(() => heap.allocate(1_000_000)).toThrow(/1000000 values \(3\.8 MiB\).*at most 1\.0 MiB.*dispose\(\)/)
    // and goes on working
    expect(heap.allocate(100_000).array).toHaveLength(100_000)
    for (const length of [-1, 1.5, Number.NaN, Infinity]) expect(() => heap.allocate(length)).toThrow(EngineError)
    expect(() => heap.allocate(2 ** 40)).toThrow(/no memory/)
  })

  it('takes back blocks whose array was forgotten', async () => {
    // vitest's workers run without --expose-gc; the flag can be set at run time
    const { setFlagsFromString } = await import('node:v8')
    const { runInNewContext } = await import('node:vm')
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const heap = heapOf(2048)
    const kept = new Memory(500, heap)
    kept.array.fill(3)
    const before = heap.free
    const forget = () => {
      for (let i = 0; i < 10; i++) heap.allocate(100).array.fill(i)
    }
    forget()
    expect(heap.free).toBeLessThan(before)
    for (let i = 0; i < 50 && heap.free < before; i++) {
      collect()
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    expect(heap.free).toBe(before)
    expect(kept.array.every(v => v === 3)).toBe(true)
  })
})

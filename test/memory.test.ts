import { describe, expect, test } from 'vitest'
import { Blob } from '../lib/blob.js'
import { kernelsOf } from '../lib/engines/complete.js'
import { createEngine } from '../lib/engines/index.js'
import { limitHeap } from '../lib/engines/limited_heap.js'
import { WasmHeap } from '../lib/engines/wasm/allocator.js'
import { type DeviceQueue, Memory, plainHeap } from '../lib/memory.js'

/** A device whose handles are copies of the values: enough to see who moves what. */
function mockDevice() {
  const moves = { uploads: 0, downloads: 0, released: 0 }
  const device: DeviceQueue = {
    name: 'mock',
    upload(values) {
      moves.uploads++
      return new Float32Array(values)
    },
    async download(handle, into) {
      moves.downloads++
      into.set(handle as Float32Array)
    },
    release() {
      moves.released++
    },
  }
  return { device, moves }
}

describe('Memory', () => {
  test('starts at zero and allocates at first use', () => {
    const memory = new Memory(3)
    expect(memory.isAllocated).toBe(false)
    expect([...memory.array]).toEqual([0, 0, 0])
  })

  test('fills later: at the first use, once, or never if all is overwritten', () => {
    let fills = 0
    const put = (values: Float32Array) => {
      fills++
      values.fill(7)
    }
    const used = new Memory(2)
    used.fillLater(put)
    expect([used.isAllocated, fills]).toEqual([true, 0])
    expect([...used.array]).toEqual([7, 7])
    used.array[0] = 1
    expect([...used.array]).toEqual([1, 7])
    expect(fills).toBe(1)

    const overwritten = new Memory(2)
    overwritten.fillLater(put)
    overwritten.claim()
    overwritten.array.set([3, 4])
    expect([...overwritten.array]).toEqual([3, 4])

    const { device } = mockDevice()
    const replaced = new Memory(2)
    replaced.fillLater(put)
    replaced.replace(device, new Float32Array([5, 6]))
    replaced.settle()
    expect(fills).toBe(1)

    const uploaded = new Memory(2)
    uploaded.fillLater(put)
    expect([...(uploaded.read(device) as Float32Array)]).toEqual([7, 7])

    const shorter = new Memory(3)
    shorter.fillLater(values => values.set([1, 2, 3]))
    shorter.resize(2)
    expect([...shorter.array]).toEqual([1, 2])
  })

  test('uploads once, and again only after the host was touched', () => {
    const { device, moves } = mockDevice()
    const memory = new Memory(2)
    memory.array[0] = 5
    const handle = memory.read(device)
    expect(memory.read(device)).toBe(handle)
    expect(moves.uploads).toBe(1)
    memory.array[1] = 6
    expect([...(memory.read(device) as Float32Array)]).toEqual([5, 6])
    expect(moves).toEqual({ uploads: 2, downloads: 0, released: 1 })
  })

  test('values on a device cannot be read by mistake; pull brings them home', async () => {
    const { device, moves } = mockDevice()
    const blob = new Blob([2], undefined, 'conv1')
    blob.memory.data.replace(device, new Float32Array([1, 2]))
    expect(() => blob.dataArray).toThrow(
      "these 2 values of blob 'conv1' are on the mock engine; await net.pull() first",
    )
    blob.memory.diff.replace(device, new Float32Array([3, 4]))
    expect(() => blob.diffArray).toThrow("these 2 values of the diff of blob 'conv1' are on the mock engine")
    await blob.pull()
    expect([...blob.dataArray, ...blob.diffArray]).toEqual([1, 2, 3, 4])
    expect(moves.downloads).toBe(2)
  })

  test('claim drops the device copy without fetching it', () => {
    const { device, moves } = mockDevice()
    const memory = new Memory(1)
    memory.replace(device, new Float32Array([9]))
    memory.claim()
    memory.array[0] = 3
    expect(moves).toEqual({ uploads: 0, downloads: 0, released: 1 })
  })

  test('hostValues looks at what the host has, moves nothing and marks nothing', async () => {
    const { device, moves } = mockDevice()
    const memory = new Memory(2)
    expect([...memory.hostValues!]).toEqual([0, 0])
    memory.array.set([1, 2])
    const handle = memory.read(device)
    expect([...memory.hostValues!]).toEqual([1, 2])
    expect(memory.read(device)).toBe(handle)
    memory.replace(device, new Float32Array([3, 4]))
    expect(memory.hostValues).toBeUndefined()
    await memory.pull()
    expect([...memory.hostValues!]).toEqual([3, 4])
    memory.read(device)
    expect(moves).toEqual({ uploads: 1, downloads: 1, released: 1 })
  })

  test('values on plain host memory have no place where a kernel of WebAssembly finds them', async () => {
    const engine = await createEngine('wasm', { threads: 1 })
    const blob = new Blob([3], undefined, 'own')
    for (const call of [() => kernelsOf(engine).fill(3, 1, blob.memory.data), () => void blob.memory.data.readPointer])
      expect(call).toThrow("these 3 values of blob 'own' are on plain host memory")
    blob.adopt(engine.heap)
    kernelsOf(engine).fill(3, 1, blob.memory.data)
    expect([...blob.dataArray]).toEqual([1, 1, 1])
  })

  /** Whether new memories of the heap have nothing to do with this array. */
  const mayBeWritten = (kept: Float32Array, heap: WasmHeap) => {
    const others = Array.from({ length: 6 }, () => new Memory(4, heap))
    for (const { array } of others) array.fill(7)
    kept.fill(9)
    for (const { array } of others) expect([...array]).toEqual([7, 7, 7, 7])
  }
  const own = () => new WasmHeap(new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true }), 2 ** 17)
  test.each<[string, (memory: Memory, lender: Memory) => void]>([
    ['dispose', memory => memory.dispose()],
    ['resize', memory => memory.resize(5)],
    ['borrow', (memory, lender) => memory.borrow(lender)],
    ['moveTo', memory => memory.moveTo(own())],
    ['letGo', memory => memory.letGo()],
  ])('an array that is kept beyond %s belongs to nobody else', (_, end) => {
    const heap = own()
    const [memory, lender] = [new Memory(4, heap), new Memory(4, heap)]
    const { array } = memory
    end(memory, lender)
    mayBeWritten(array, heap)
  })

  test('nor is one of a lender, kept beyond both', () => {
    const heap = own()
    const [memory, lender] = [new Memory(4, heap), new Memory(4, heap)]
    memory.borrow(lender)
    const { array } = memory
    memory.dispose()
    lender.dispose()
    mayBeWritten(array, heap)
  })

  test('what nobody had the array of is free at once, under a limit too', () => {
    const heap = own()
    const { free } = heap
    for (const at of [heap, limitHeap(heap, 2 ** 20)]) {
      const memory = new Memory(1000, at)
      memory.write(values => values.fill(1))
      expect(heap.free).toBeLessThan(free)
      memory.dispose()
      expect(heap.free).toBe(free)
    }
  })

  test('a net that is limited may make blobs larger again and again while a program has their arrays', () => {
    const memory = new Memory(1, limitHeap(plainHeap, 2 ** 12))
    for (let length = 2; length < 500; length++) {
      memory.resize(length)
      memory.array.fill(1)
    }
    expect(memory.array).toHaveLength(499)
  })

  test.each<[string, (memory: Memory, lender: Memory) => void]>([
    ['dispose', memory => memory.dispose()],
    ['resize', memory => memory.resize(5)],
    ['borrow', (memory, lender) => memory.borrow(lender)],
    ['moveTo', memory => memory.moveTo(own())],
    [
      'dispose of a lender',
      (memory, lender) => {
        memory.dispose()
        lender.dispose()
      },
    ],
  ])('a download that comes after %s is written into nobody else', async (how, end) => {
    let arrive = () => {}
    const device: DeviceQueue = {
      ...mockDevice().device,
      download: (handle, into) =>
        new Promise(resolve => {
          arrive = () => resolve(into.set(handle as Float32Array))
        }),
    }
    const heap = own()
    const [memory, lender] = [new Memory(4, heap), new Memory(4, heap)]
    if (how.includes('lender')) memory.borrow(lender)
    memory.replace(device, Float32Array.of(1, 2, 3, 4))
    const pulled = memory.pull()
    end(memory, lender)
    const others = Array.from({ length: 3 }, () => new Memory(4, heap))
    for (const { array } of others) array.fill(7)
    arrive()
    await pulled
    for (const { array } of others) expect([...array]).toEqual([7, 7, 7, 7])
    if (how === 'moveTo') expect(() => memory.values).toThrow('are on the mock engine; await net.pull() first')
  })

  test('a borrower that moves to another heap leaves its lender what is its own', () => {
    const heap = own()
    const [memory, lender] = [new Memory(4, heap), new Memory(4, heap)]
    memory.borrow(lender)
    memory.array.fill(3)
    memory.moveTo(own())
    new Memory(4, heap).array.fill(7)
    expect([...memory.array, ...lender.array]).toEqual(Array(8).fill(3))
  })
})

describe('Blob', () => {
  test('views are exactly count long and survive shrinking and growing', () => {
    const blob = new Blob([2, 3])
    expect(blob.dataArray).toHaveLength(6)
    blob.dataArray.set([1, 2, 3, 4, 5, 6])
    blob.reshape([3])
    expect([...blob.dataArray]).toEqual([1, 2, 3])
    blob.reshape(2, 4)
    expect(blob.dataArray).toHaveLength(8)
    expect(blob.data.shape).toEqual([2, 4])
  })

  test('data and diff are apart, and ndarray views are live', () => {
    const blob = new Blob([2, 2])
    blob.data.set(1, 0, 7)
    expect(blob.dataArray[2]).toBe(7)
    expect([...blob.diffArray]).toEqual([0, 0, 0, 0])
    expect(blob.data.offset).toBe(0)
  })

  test('legacy sizes, scalars and negative axes', () => {
    const blob = new Blob([4, 5])
    expect([blob.num, blob.channels, blob.height, blob.width]).toEqual([4, 5, 1, 1])
    expect(new Blob([]).count).toBe(1)
    expect(blob.canonicalAxis(-1)).toBe(1)
    expect(() => blob.canonicalAxis(2)).toThrow(/axis 2 is out of range/)
  })

  test('sharing follows the owner, and a reshape to another count ends it', () => {
    const [a, b] = [new Blob([2, 3]), new Blob([6])]
    b.shareData(a)
    a.dataArray[5] = 4
    expect(b.dataArray[5]).toBe(4)
    b.reshape([2])
    b.dataArray.fill(9)
    expect(a.dataArray[0]).toBe(0)
    expect(() => b.shareData(a)).toThrow(/counts differ/)
  })

  test('what two share lives as long as one of them, whoever made it', () => {
    const heap = new WasmHeap(new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true }), 2 ** 17)
    const { free } = heap
    const [a, b, c] = [new Blob([2], heap, 'a'), new Blob([2], heap, 'b'), new Blob([2], heap, 'c')]
    a.memory.data.write(values => values.fill(3))
    b.shareData(a)
    c.shareData(b)
    a.dispose()
    a.dispose()
    expect(() => a.data).toThrow("these values of blob 'a' were given back by dispose()")
    expect([...b.memory.data.values, ...c.memory.data.values]).toEqual([3, 3, 3, 3])
    b.reshape([5])
    expect([...c.memory.data.values]).toEqual([3, 3])
    c.shareData(new Blob([2], heap))
    b.dispose()
    c.dispose()
    expect(heap.free).toBe(free)
  })

  test('shapes, axes and ranges that are none are refused', () => {
    const blob = new Blob([2, 3], undefined, 'x')
    for (const shape of [null, {}, new Set([1])])
      expect(() => blob.reshape(shape as never)).toThrow(
        'reshape takes sizes of axes, reshape([2, 3]) or reshape(2, 3)',
      )
    for (const axis of ['a', undefined, 0.5, Number.NaN])
      expect(() => blob.dim(axis as never)).toThrow(`axis ${axis} is out of range for blob 'x' with 2 axes [2, 3]`)
    for (const [from, to] of [
      [0, 3],
      [-1, 2],
      [undefined, 1],
    ] as [number, number][])
      expect(() => blob.size(from, to)).toThrow(`it has no size of those from ${from} up to ${to}`)
    expect([blob.size(0), blob.size(2), blob.size(5)]).toEqual([6, 1, 1])
  })

  test('a blob that shares only its values keeps a gradient of its own size', () => {
    const [a, b] = [new Blob([2]), new Blob([2])]
    b.shareData(a)
    a.reshape([5])
    b.reshape([5])
    expect(b.diffArray).toHaveLength(5)
    b.dataArray[4] = 1
    expect(a.dataArray[4]).toBe(1)
  })

  test('impossible shapes are refused', () => {
    expect(() => new Blob([2, -1])).toThrow(/-1/)
    expect(() => new Blob([65536, 65536])).toThrow(/4294967296/)
    expect(() => new Blob(new Array(33).fill(1))).toThrow(/32/)
  })
})

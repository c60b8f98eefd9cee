import { describe, expect, test } from 'vitest'
import type { Backend, Native } from '../../lib/engines/gpu/backend.js'
import { Handle, Queue } from '../../lib/engines/gpu/queue.js'
import { EngineError } from '../../lib/errors.js'

/** A device that takes its time, unevenly, and writes down what it did. */
function slowDevice() {
  const log: string[] = []
  const device = { log, lost: undefined as string | undefined }
  const later = <T>(value: T, ms: number): Promise<T> => new Promise(resolve => setTimeout(() => resolve(value), ms))
  const backend: Backend = {
    mode: 'webgpu',
    detail: 'slow',
    uploadsAtOnce: true,
    longRows: true,
    mostRows: 1,
    compile: () => {
      throw new Error('nothing is compiled here')
    },
    layout: () => '',
    upload(values) {
      log.push(`upload ${values[0]}`)
      return Float32Array.from(values)
    },
    async download(native) {
      log.push(`download ${(native as Float32Array)[0]}`)
      return later(native as Float32Array, 1)
    },
    delete: native => void log.push(`delete ${(native as Float32Array)[0]}`),
    settle: async () => {},
    lossReason: () => device.lost,
    destroy: async () => {},
  }
  const queue = new Queue('gpu:slow', backend)
  /** out ← f(arg), after `ms`. */
  const compute = (arg: Handle, f: (x: number) => number, ms: number): Handle => {
    const out = new Handle(1)
    queue.compute(out, [arg], async () => later<Native>(Float32Array.of(f((arg.native as Float32Array)[0])), ms))
    return out
  }
  const read = async (handle: Handle): Promise<number> => {
    const into = new Float32Array(1)
    await queue.download(handle, into)
    return into[0]
  }
  return { device, queue, compute, read, log }
}

describe('the queue of a device', () => {
  test('runs uploads, kernels and releases in the order of the calls, however long each takes', async () => {
    const { queue, compute, read, log } = slowDevice()
    const a = queue.upload(Float32Array.of(1))
    const b = compute(a, x => x + 10, 20)
    queue.release(a)
    const c = queue.upload(Float32Array.of(2))
    const d = compute(b, x => x * 2, 1)
    queue.release(b)
    queue.release(c)
    expect(await read(d)).toBe(22)
    expect(log).toEqual(['upload 1', 'delete 1', 'upload 2', 'delete 11', 'delete 2', 'download 22'])
  })

  test('copies what is uploaded at the call, though the queue is busy', async () => {
    const { queue, compute, read } = slowDevice()
    const busy = compute(queue.upload(Float32Array.of(0)), x => x, 10)
    const values = Float32Array.of(5)
    const early = queue.upload(values)
    values[0] = 6
    const late = queue.upload(values)
    values[0] = 7
    expect(await read(early)).toBe(5)
    expect(await read(late)).toBe(6)
    expect(await read(busy)).toBe(0)
  })

  test('only a download and finish wait: calls return before the work is done', async () => {
    const { queue, compute } = slowDevice()
    const b = compute(queue.upload(Float32Array.of(1)), x => x, 5)
    expect(b.native).toBeUndefined()
    await queue.finish()
    expect(b.native).toBeDefined()
  })

  test('the first failure rejects once, what depends on it fails alike, the rest goes on', async () => {
    const { queue, compute, read } = slowDevice()
    const a = queue.upload(Float32Array.of(1))
    const bad = compute(
      a,
      () => {
        throw new Error('the kernel is broken')
      },
      1,
    )
    const after = compute(bad, x => x, 1)
    const other = compute(a, x => x + 1, 1)
    await expect(queue.finish()).rejects.toThrow(/engine gpu:slow: kernel: the kernel is broken/)
    await expect(queue.finish()).resolves.toBeUndefined()
    await expect(read(after)).rejects.toThrow(EngineError)
    expect(await read(other)).toBe(2)
  })

  test('a failure that a download has reported is not reported again', async () => {
    const { queue, compute, read } = slowDevice()
    const bad = compute(
      queue.upload(Float32Array.of(1)),
      () => {
        throw new Error('no')
      },
      1,
    )
    await expect(read(bad)).rejects.toThrow(EngineError)
    await expect(queue.finish()).resolves.toBeUndefined()
  })

  test('a handle that two hold is deleted when both have released it', async () => {
    const { queue, log, read } = slowDevice()
    const a = queue.upload(Float32Array.of(3))
    queue.share(a)
    queue.release(a)
    expect(await read(a)).toBe(3)
    queue.release(a)
    await queue.finish()
    expect(log).toEqual(['upload 3', 'download 3', 'delete 3'])
    expect(queue.traffic.alive).toBe(0)
  })

  test('a constant is not sent and not fetched', async () => {
    const { queue, read, log } = slowDevice()
    expect(await read(queue.constant(1, 4.5))).toBe(4.5)
    expect(log).toEqual([])
    expect(queue.traffic.uploads + queue.traffic.downloads).toBe(0)
  })

  test('a lost device is a typed error from then on', async () => {
    const { device, queue, read } = slowDevice()
    const a = queue.upload(Float32Array.of(1))
    device.lost = 'the driver gave up'
    await expect(read(a)).rejects.toThrow(/the device was lost \(the driver gave up\)\. .*restore the last snapshot/)
    await expect(queue.finish()).rejects.toThrow(EngineError)
    await expect(queue.finish()).rejects.toThrow(/the device was lost/)
  })

  test('a long row of tasks leaves timers their turn', async () => {
    const { queue } = slowDevice()
    let handle = queue.upload(Float32Array.of(0))
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    for (let i = 0; i < 20; i++) {
      const next = new Handle(1)
      const before = handle
      queue.compute(next, [before], async () => {
        const until = performance.now() + 10
        while (performance.now() < until);
        return before.native!
      })
      handle = next
    }
    await queue.finish()
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(1)
  })
})

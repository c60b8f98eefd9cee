import type { GPUBufferLike, GPUDeviceLike } from './gpujs.js'

export const UNIFORM = 0x40
export const STORAGE = 0x80
export const COPY_SRC = 0x04
export const COPY_DST = 0x08
export const MAP_READ = 0x01

/** Bytes to which sizes are rounded up, so that buffers fit more often. */
const STEP = 256

/** What is free is kept up to so many times what is in use. */
const MOST_UNUSED = 16

interface Free {
  readonly buffer: GPUBufferLike
  /** The trim after which it was given back. */
  readonly since: number
}

/**
 * Storage buffers that are used again. A training step asks for the same sizes as the one before, so after the first it
 * makes none. What nobody has taken between two trims is given back to the device.
 */
export class BufferPool {
  private readonly free = new Map<number, Free[]>()
  private readonly ids = new WeakMap<GPUBufferLike, number>()
  private made = 0
  private trims = 0

  constructor(
    private readonly device: GPUDeviceLike,
    /** Called before buffers are destroyed: nothing that is recorded may name them. */
    private readonly beforeDestroy: () => void,
    /** Called when nobody holds anything any more, and all that was free has been destroyed. */
    private readonly whenEmpty: () => void = () => {},
  ) {}

  /** Bytes that somebody holds, and that nobody does. */
  private held = 0
  private unused = 0

  take(bytes: number): GPUBufferLike {
    const size = Math.max(1, Math.ceil(bytes / STEP)) * STEP
    const free = this.free.get(size)?.pop()?.buffer
    this.held += size
    if (free) this.unused -= size
    return free ?? this.device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST })
  }

  /** Kernels that are recorded may still use it: whatever takes it next comes after them in the queue. */
  give(buffer: GPUBufferLike): void {
    let list = this.free.get(buffer.size)
    if (!list) this.free.set(buffer.size, (list = []))
    list.push({ buffer, since: this.trims })
    this.held -= buffer.size
    this.unused += buffer.size
    // the net that needed them is gone
    if (this.unused > MOST_UNUSED * this.held) this.destroy()
  }

  /** A number that tells buffers apart. */
  idOf(buffer: GPUBufferLike): number {
    let id = this.ids.get(buffer)
    if (id === undefined) this.ids.set(buffer, (id = this.made++))
    return id
  }

  /** Destroys what has not been needed since the trim before the last. */
  trim(): void {
    this.trims++
    for (const [size, list] of this.free) {
      // taken from the end: what is not needed stays at the front
      const old = list.findIndex(({ since }) => since > this.trims - 3)
      const gone = list.splice(0, old < 0 ? list.length : old)
      if (gone.length) this.beforeDestroy()
      for (const { buffer } of gone) buffer.destroy()
      this.unused -= size * gone.length
      if (list.length === 0) this.free.delete(size)
    }
  }

  /** Destroys all that nobody holds. */
  destroy(): void {
    this.beforeDestroy()
    for (const list of this.free.values()) for (const { buffer } of list) buffer.destroy()
    this.free.clear()
    this.unused = 0
    if (this.held === 0) this.whenEmpty()
  }
}

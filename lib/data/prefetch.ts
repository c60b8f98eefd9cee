import type { Worker } from 'node:worker_threads'
import { EngineError } from '../errors.js'
import { importNode, isNode, resolvePackage } from '../system/nodejs.js'
import { MAX_FILE } from '../system/read_file.js'
import { startLimit } from '../system/start_limit.js'
import type { AnyDescription } from './open_source.js'
import { createSlots, SLOT, SlotRing } from './prefetch_slots.js'
import type { PrefetchData } from './prefetch_worker.js'
import {
  type BatchSource,
  batchBytes,
  batchExtent,
  destinationIn,
  labelKindOf,
  type Place,
  type Position,
} from './source.js'

/** Hands out batches in order: a source itself, or something that works ahead of its caller. */
export interface Batches {
  /** Before the next batch that is handed out. */
  readonly position: Position
  /** Write the next batch to `place(shape)`. A promise only if it is not ready. */
  next(place: Place): void | Promise<void>
  close(): void
}

/** Most that the slots of one layer may take, in bytes: fewer of them where batches are huge, but two at least. */
const MAX_SLOT_BYTES = 2 ** 30

/** Atomics.waitAsync, which came after the library version that this compiles against. */
const waitAsync = (
  Atomics as { waitAsync?: (array: Int32Array, index: number, value: number) => { value: Promise<string> | string } }
).waitAsync

/** Node only, and only where worker threads are allowed. */
export const canPrefetch = (): boolean => isNode && typeof SharedArrayBuffer !== 'undefined'

/** Let a worker keep the next `slots` batches ready. */
export async function prefetch(
  description: AnyDescription,
  start: Position,
  itemShape: readonly number[],
  slots: number,
  maxFile = MAX_FILE,
): Promise<Batches> {
  const { Worker, receiveMessageOnPort, MessageChannel } = await importNode('node:worker_threads')
  const { source } = await import('../generated/prefetch_worker.js')
  const kind = labelKindOf(description)
  const bytes = batchBytes(batchExtent(kind, description.batchSize, itemShape))
  const affordable = Math.max(2, Math.floor(MAX_SLOT_BYTES / bytes))
  const ring = new SlotRing(createSlots(Math.min(slots, affordable), bytes), description.batchSize, kind)
  // posted messages are read when they are needed, without a turn of the event loop
  const { port1, port2 } = new MessageChannel()
  const data: PrefetchData = {
    description,
    start,
    slots: ring.shared,
    pixelsUrl: resolvePackage('ndarray-pixels'),
    port: port2,
    maxFile,
  }
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: data,
    transferList: [port2],
  })
  worker.unref()
  const enlarged = () => {
    for (let message = receiveMessageOnPort(port1); message; message = receiveMessageOnPort(port1)) {
      const { slot, values } = message.message as { slot: number; values: SharedArrayBuffer }
      ring.shared.values[slot] = values
    }
  }
  failWith(worker, ring)
  return new WorkerBatches(worker, ring, start, enlarged)
}

/** A worker that dies without a word marks every slot it still owes, so that whoever waits finds out. */
function failWith(worker: Worker, ring: SlotRing): void {
  const died = (why: string) => {
    const slots = Array.from({ length: ring.count }, (_, slot) => slot)
    if (slots.some(slot => ring.state(slot) === SLOT.failed)) return
    ring.writeError(new EngineError(`the prefetch worker died: ${why}`))
    for (const slot of slots) if (ring.state(slot) === SLOT.free) ring.setState(slot, SLOT.failed)
  }
  const started = startLimit(died)
  worker.once('online', started)
  worker.once('exit', started)
  worker.on('error', (error: Error) => died(error.message))
  worker.on('exit', code => died(`it ended with code ${code}`))
}

/** Workers of nets that were forgotten without dispose(). */
const forgotten = new FinalizationRegistry<Worker>(worker => worker.terminate())

class WorkerBatches implements Batches {
  private slot = 0

  constructor(
    private readonly worker: Worker,
    private readonly ring: SlotRing,
    public position: Position,
    private readonly enlarged: () => void,
  ) {
    forgotten.register(this, worker, this)
  }

  next(place: Place): void | Promise<void> {
    if (this.ring.state(this.slot) === SLOT.free) return this.ready().then(() => this.take(place))
    this.take(place)
  }

  close(): void {
    forgotten.unregister(this)
    this.worker.terminate()
  }

  private take(place: Place): void {
    const { ring, slot } = this
    if (ring.state(slot) === SLOT.failed) throw ring.readError()
    const shape = ring.itemShape(slot)
    const truths = ring.truths(slot)
    let from = ring.arrays(slot, shape, truths)
    if (!from) {
      this.enlarged()
      from = ring.arrays(slot, shape, truths)!
    }
    const { data, labels, sizes } = place(shape, truths)
    data.set(from.data)
    labels?.set(from.labels.subarray(0, labels.length))
    sizes?.set(from.sizes)
    this.position = ring.position(slot)
    ring.setState(slot, SLOT.free)
    this.slot = (slot + 1) % ring.count
  }

  /** Resolves when the next slot is no longer free. Meanwhile, and only then, the worker keeps the process alive. */
  private async ready(): Promise<void> {
    const { ring, slot, worker } = this
    worker.ref()
    try {
      while (ring.state(slot) === SLOT.free) {
        if (waitAsync) await waitAsync(ring.control, ring.word(slot), SLOT.free).value
        else await new Promise(resolve => setTimeout(resolve, 1))
      }
    } finally {
      worker.unref()
    }
  }
}

/**
 * Works one batch ahead on this thread, for sources that spend their time waiting for an image decoder where there is
 * no worker.
 */
export class AheadBatches implements Batches {
  private pending: Promise<Batch> | undefined

  constructor(
    private readonly source: BatchSource,
    public position: Position,
  ) {}

  async next(place: Place): Promise<void> {
    const batch = await (this.pending ?? this.produce())
    this.pending = this.produce()
    // an error belongs to the forward pass that wants this batch
    this.pending.catch(() => {})
    const { data, labels, sizes } = place(batch.shape, batch.truths)
    data.set(batch.data)
    labels?.set(batch.labels.subarray(0, labels.length))
    sizes?.set(batch.sizes)
    this.position = batch.position
  }

  close(): void {
    const close = () => this.source.close()
    if (this.pending) this.pending.then(close, close)
    else close()
  }

  private async produce(): Promise<Batch> {
    let batch: Omit<Batch, 'position'> | undefined
    const { batchSize, labelKind = 'numbers' } = this.source
    await this.source.next((shape, truths) => {
      const extent = batchExtent(labelKind, batchSize, shape, truths)
      batch = { shape, truths, ...destinationIn(new ArrayBuffer(batchBytes(extent)), extent) }
      return batch
    })
    return { ...batch!, position: this.source.position }
  }
}

interface Batch {
  shape: readonly number[]
  truths: number | undefined
  data: Float32Array
  labels: Float32Array
  sizes: Float32Array
  position: Position
}

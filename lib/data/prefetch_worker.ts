import { type MessagePort, workerData } from 'node:worker_threads'
import { readFile } from '../system/read_file.js'
import { importPixels, type PixelsModule } from './image.js'
import { type AnyDescription, openSource } from './open_source.js'
import { type SharedSlots, SLOT, SlotRing } from './prefetch_slots.js'
import { labelKindOf, type Position } from './source.js'

/** What the calling thread hands over. */
export interface PrefetchData {
  readonly description: AnyDescription
  readonly start: Position
  readonly slots: SharedSlots
  /**
   * URL of ndarray-pixels as the calling thread resolves it: this code has no place of its own to resolve names from.
   */
  readonly pixelsUrl: string | undefined
  /** Takes the buffers that replace slots which became too small. */
  readonly port: MessagePort
  /** Most bytes of a file that is read whole. */
  readonly maxFile: number
}

/** The worker's whole life: fill free slots in turn until it is terminated or something goes wrong. */
async function run({ description, start, slots, pixelsUrl, port, maxFile }: PrefetchData): Promise<void> {
  const ring = new SlotRing(slots, description.batchSize, labelKindOf(description))
  let slot = 0
  try {
    const pixels = () =>
      importPixels(() => {
        if (pixelsUrl === undefined) throw new Error('it cannot be found')
        return import(pixelsUrl) as Promise<PixelsModule>
      })
    const source = await openSource(description, { pixels, readFile: path => readFile(path, { maxFile }) }, start)
    for (; ; slot = (slot + 1) % ring.count) {
      while (ring.state(slot) !== SLOT.free) Atomics.wait(ring.control, ring.word(slot), SLOT.ready)
      let shape: readonly number[] = []
      let rows: number | undefined
      await source.next((itemShape, truths) => {
        shape = itemShape
        rows = truths
        return (
          ring.arrays(slot, itemShape, truths) ??
          enlarge(ring, slot, ring.bytes(itemShape, truths), port).arrays(slot, itemShape, truths)!
        )
      })
      ring.describe(slot, shape, rows, source.position)
      ring.setState(slot, SLOT.ready)
    }
  } catch (error) {
    ring.writeError(error)
    ring.setState(slot, SLOT.failed)
  }
}

/** Items have grown: a larger buffer takes the slot's place on both sides. */
function enlarge(ring: SlotRing, slot: number, bytes: number, port: MessagePort): SlotRing {
  ring.shared.values[slot] = new SharedArrayBuffer(bytes)
  port.postMessage({ slot, values: ring.shared.values[slot] })
  return ring
}

await run(workerData as PrefetchData)

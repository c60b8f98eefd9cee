/** What a program keeps of the library and of the heap until it is disposed of. */
import type { Block, Heap } from '../../../memory.js'
import type { WasmExports } from '../../wasm/exports.js'
import type { Handle, Library } from './library.js'

/** What runs a table on all threads. */
export interface Runner {
  readonly heap: Heap & { readonly memory: WebAssembly.Memory }
  readonly threads: number
  run(table: number, chunks: number): void
  readonly tilePoints: WasmExports['tilePoints']
  /** The steps of an LSTM, between products of a table. */
  readonly lstm: WasmExports['lstmOfTable']
}

/** Values begin on a cache line. */
const LINE = 64
export const line = (bytes: number): number => Math.ceil((bytes + LINE) / LINE) * LINE

export class Kept {
  /** Bytes of the heap. */
  bytes = 0
  /** Address of the heap's memory. */
  readonly base: number
  private readonly handles = new Set<Handle>()
  private readonly descriptions: Handle[] = []
  private readonly blocks = new Set<Block>()

  constructor(
    readonly library: Library,
    readonly runner: Runner,
  ) {
    this.base = library.address(runner.heap.memory.buffer)
  }

  /** So many bytes, from a cache line on. */
  take(bytes: number): Block {
    const block = this.runner.heap.allocate(line(bytes) / 4)
    this.blocks.add(block)
    this.bytes += 4 * block.array.length
    return block
  }

  giveBack(block: Block): void {
    if (!this.blocks.delete(block)) return
    this.bytes -= 4 * block.array.length
    this.runner.heap.release(block)
  }

  /** A memory object of values at an address. */
  object(description: Handle, address: number): Handle {
    const handle = this.library.memory(description, address)
    this.handles.add(handle)
    return handle
  }

  destroy(handle: Handle): void {
    if (this.handles.delete(handle)) this.library.destroy('memory', handle)
  }

  /** A description that lasts. */
  description(description: Handle): Handle {
    this.descriptions.push(description)
    return description
  }

  dispose(): void {
    for (const handle of this.handles) this.destroy(handle)
    for (const description of this.descriptions) this.library.forget(description)
    for (const block of this.blocks) this.giveBack(block)
    this.descriptions.length = 0
  }
}

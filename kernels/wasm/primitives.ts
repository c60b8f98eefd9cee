/**
 * Chunks of work that are calls of the system's oneDNN, which the native engine writes down in a table: see
 * lib/engines/native/onednn.
 */
import { job, run } from './threads'

@external('engine', 'execute')
export declare function execute(table: usize, chunk: i32): void

@unmanaged
class PrimitivesJob {
  table: usize
}

/** Runs the chunks of the table on the pool's threads. */
export function runPrimitives(table: usize, chunks: i32): void {
  changetype<PrimitivesJob>(job).table = table
  run(primitivesChunk, chunks)
}

function primitivesChunk(chunk: i32, _workspace: usize): void {
  execute(changetype<PrimitivesJob>(job).table, chunk)
}

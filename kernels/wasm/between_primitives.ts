/**
 * What the engine does itself between primitives of the system's oneDNN: chunks of its tables call it, see
 * lib/engines/native/onednn/execute.ts.
 */
import { poolBlocked } from './blocked_pooling'
import { pointsToTiles, tilesToPoints } from './blocked_tiles'

/** Pieces of memory that are copied. */
@unmanaged
class Pieces {
  from: usize
  to: usize
  pieces: i32
  /** Of each, and from one to the next. */
  bytes: usize
  fromStep: usize
  toStep: usize
}

/** 0: pools, 1: copies, 2 and 3: what is before and behind the products of tiles, as the words at byte offset `at` say. */
export function betweenPrimitives(what: i32, at: usize): void {
  if (what == 0) poolBlocked(at)
  else if (what == 1) copyPieces(changetype<Pieces>(at))
  else if (what == 2) tilesToPoints(at)
  else pointsToTiles(at)
}

function copyPieces(s: Pieces): void {
  for (let i: usize = 0; i < <usize>s.pieces; i++) memory.copy(s.to + i * s.toStep, s.from + i * s.fromStep, s.bytes)
}

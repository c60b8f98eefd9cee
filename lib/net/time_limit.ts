/** `timeLimit` of a pass: looked at before each layer, and by kernels of WebAssembly before each piece of their work. */
import type { After, Engine } from '../engine.js'
import type { Joined } from './joined.js'
import { namingLayer } from './naming_layer.js'
import type { NetNode } from './node.js'

/** What ends a pass before its time. */
export interface PassLimits {
  readonly signal?: AbortSignal
  /** Milliseconds. */
  readonly timeLimit?: number
}

/** Throws if the time of the pass is up before this layer. */
export function mustBeInTime({ layer }: NetNode, until: number): void {
  if (performance.now() > until) throw layer.error('the time of the pass was up before it (timeLimit)')
}

// Functions of their own: what a closure in the loop over the layers holds is garbage, for every layer of every pass.

/** A layer's forward pass, whose kernels throw once it is too late. */
export const forwardInTime = ({ layer, bottom, top }: NetNode, until: number, after?: After): void | Promise<void> =>
  limited(layer.engine, until, () => layer.forward(bottom, top, after))

/** The same for its backward pass. */
export const backwardInTime = (
  { layer, bottom, bottomNeedsBackward, top }: NetNode,
  until: number,
): void | Promise<void> => limited(layer.engine, until, () => layer.backward(top, bottomNeedsBackward, bottom))

function limited<T>(engine: Engine, until: number, task: () => T): T {
  engine.limitTime?.(until)
  try {
    return task()
  } finally {
    // others compute on the same engine
    engine.limitTime?.(undefined)
  }
}

/** Compute a row of layers as one, if it can be now. */
export function runJoined({ calls }: Joined, node: NetNode, until: number | undefined): boolean {
  if (until === undefined) return calls.run()
  try {
    return limited(node.layer.engine, until, () => calls.run())
  } catch (error) {
    throw namingLayer(node.layer, error)
  }
}

import { parseSolver } from '../../lib/proto/text.js'
import { createSolver } from '../../lib/solver/rules/index.js'
import type { Solver } from '../../lib/solver.js'

/** A recurrent net whose sequences go on from batch to batch, so that what it learns depends on the state before. */
const recurrent = (type: string) => `
  base_lr: 0.05 momentum: 0.9 lr_policy: "fixed" max_iter: 6
  net_param { name: "goes on"
    layer { name: "x" type: "DummyData" top: "x" top: "cont" top: "label" dummy_data_param { shape { dim: 3 dim: 2 dim: 4 }
      shape { dim: 3 dim: 2 } shape { dim: 3 dim: 2 } data_filler { type: "gaussian" } data_filler { value: 1 } data_filler { value: 2 } } }
    layer { name: "h" type: "${type}" bottom: "x" bottom: "cont" top: "h"
      recurrent_param { num_output: 5 weight_filler { type: "uniform" min: -0.5 max: 0.5 } } }
    layer { name: "ip" type: "InnerProduct" bottom: "h" top: "ip" inner_product_param { num_output: 3 axis: 2 weight_filler { type: "xavier" } } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" softmax_param { axis: 2 } } }`

/** An RNN or LSTM with its solver. */
export const startRecurrent = (type: string, engine: string, seed: number) =>
  createSolver(parseSolver(recurrent(type)), { engine, seed })

/** Params and history as bits. */
export async function bitsOf(solver: Solver): Promise<number[][]> {
  const blobs = [...solver.net.built.learnable.map(({ blob }) => blob), ...solver.history]
  for (const blob of blobs) await blob.pull()
  return blobs.map(({ dataArray: { buffer, byteOffset, length } }) => [...new Uint32Array(buffer, byteOffset, length)])
}

/** Bits after 6 steps, and after 3, a snapshot, and 3 more by a solver that had other values before. */
export async function resumed(type: string, engine: string): Promise<{ straight: number[][]; again: number[][] }> {
  const [straight, first, second] = [
    await startRecurrent(type, engine, 4),
    await startRecurrent(type, engine, 4),
    await startRecurrent(type, engine, 9),
  ]
  await straight.step(6)
  await first.step(3)
  const { model, state } = await first.snapshot()
  await second.step(1)
  await second.restore(state, model)
  await second.step(3)
  const bits = { straight: await bitsOf(straight), again: await bitsOf(second) }
  for (const solver of [straight, first, second]) solver.dispose()
  return bits
}

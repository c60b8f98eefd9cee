/** What members of a group make sure of together: that they run the same program, from the same state, to the same weights. */
import { RistrettoError } from '../errors.js'
import type { SolverParameter } from '../generated/caffe.js'
import { fromDoubles, fromText, hashOf, hashOfValues, toDoubles, toText } from '../group/words.js'
import type { Communicator } from '../group.js'
import { Memory } from '../memory.js'
import { printNet, printSolver } from '../proto/print.js'
import type { applyPositions, positionsOf, TrainingRun } from './positions.js'

/** What snapshots do with a run's place: handed over, since every page has it. */
export interface Places {
  readonly positionsOf: typeof positionsOf
  readonly applyPositions: typeof applyPositions
}

/** Texts that must be equal on all members, by what they are of. Throws an error that names the first that is not. */
async function mustAgree(group: Communicator, texts: Readonly<Record<string, string>>): Promise<void> {
  const names = Object.keys(texts)
  const rows = await group.gather(fromDoubles(names.map(name => hashOf(texts[name]))))
  const first = toDoubles(rows[0])
  for (const [rank, row] of rows.entries()) {
    const wrong = toDoubles(row).findIndex((hash, k) => hash !== first[k])
    if (wrong >= 0)
      throw new RistrettoError(
        `worker ${rank} differs from worker 0 in its ${names[wrong]}: all members of a group run the same program with the same files (here, worker ${group.rank}: ${shown(texts[names[wrong]])})`,
      )
  }
}

const shown = (text: string): string => (text.length > 80 ? `${text.length} characters` : text)

/** Before the nets are made; resolves to the seed of all, which is member 0's. */
export async function agreeOnSeed(group: Communicator, given: number | undefined): Promise<number> {
  const rows = await group.gather(fromDoubles([given ?? crypto.getRandomValues(new Uint32Array(1))[0]]))
  return toDoubles(rows[0])[0]
}

/** After the nets are made. */
export function agreeOnRun(group: Communicator, param: SolverParameter, run: TrainingRun): Promise<void> {
  const { net, testNets } = run
  const { engine } = net
  const { learnable } = net.built
  // how a net is shared out among threads changes no bits
  const [arithmetic] = engine.detail.split(/, \d+ thread/)
  return mustAgree(group, {
    solver: printSolver(param),
    'train net': printNet(net.param),
    'test nets': testNets.map(({ param }) => printNet(param)).join('\n'),
    'shapes of params': learnable.map(({ blob }) => blob.shape.join('×')).join(' '),
    engine: `${engine.name} (${arithmetic})`,
  })
}

/** Before a call of `step`. */
export const agreeOnStep = (group: Communicator, iter: number, steps: number): Promise<void> =>
  mustAgree(group, { iteration: `${iter}`, 'number of steps': `${steps}` })

/** The weights of a run as one number. */
export async function weightsHash({ net }: TrainingRun): Promise<number> {
  let hash: number | undefined
  for (const { blob } of net.built.learnable) {
    await blob.memory.data.pull()
    hash = hashOfValues(blob.memory.data.values, hash)
  }
  return hash ?? 0
}

/** Throws where the weights of members, as hashes, are not equal; `since` is the iteration at which they were. */
export function mustBeEqual(hashes: readonly number[], since: number, iter: number): void {
  const other = hashes.findIndex(hash => hash !== hashes[0])
  if (other >= 0)
    throw new RistrettoError(
      `worker ${other}'s weights differ from worker 0's at iteration ${iter}; at iteration ${since} they were equal: a layer, hook or data source of the program's own draws random numbers of its own (use this.random, whose numbers are functions of the seed and the batch), or changes weights by itself`,
    )
}

/** Every member ← member 0's weights, history, place in the data and iteration. */
export async function adoptFirst(group: Communicator, run: TrainingRun, places: Places): Promise<void> {
  const values = [...run.net.built.learnable.map(({ blob }) => blob), ...run.history].map(blob => blob.memory.data)
  for (const memory of values) await memory.pull()
  await group.broadcast(values)
  const text = fromText(group.rank === 0 ? await placeText(run, places) : '')
  const [length] = toDoubles((await group.gather(fromDoubles([text.length])))[0])
  const memory = new Memory(length)
  if (group.rank === 0) memory.array.set(text)
  await group.broadcast([memory])
  if (group.rank > 0) await adoptPlace(run, toText(memory.values), places)
}

/** Lists of numbers of all members in one, in the order of ranks: each may give any number of lists of any length. */
export async function gatherLists(group: Communicator, lists: readonly Float64Array[]): Promise<Float64Array[]> {
  const own = lists.flatMap(list => [list.length, ...list])
  const lengths = (await group.gather(fromDoubles([own.length]))).map(row => toDoubles(row)[0])
  const padded = new Float64Array(Math.max(...lengths))
  padded.set(own)
  const all: Float64Array[] = []
  for (const [rank, row] of (await group.gather(fromDoubles(padded))).entries()) {
    const values = toDoubles(row).subarray(0, lengths[rank])
    for (let at = 0; at < values.length; at += 1 + values[at]) all.push(values.subarray(at + 1, at + 1 + values[at]))
  }
  return all
}

/** Where a run is, beside its weights and history, as a text: for the members of a group that start from another's. */
async function placeText(solver: TrainingRun, { positionsOf }: Places): Promise<string> {
  const { iter, rate } = solver
  const { stage, lowest, lastEvent } = rate
  return JSON.stringify({ iter, stage, lowest: `${lowest}`, lastEvent, positions: await positionsOf(solver) })
}

/** Go on from there. */
async function adoptPlace(solver: TrainingRun, text: string, places: Places): Promise<void> {
  // data layers that are there already keep what they have read ahead
  if ((await placeText(solver, places)) === text) return
  const { iter, stage, lowest, lastEvent, positions } = JSON.parse(text)
  solver.iter = iter
  Object.assign(solver.rate, { stage, lowest: Number(lowest), lastEvent })
  places.applyPositions(solver, positions)
}

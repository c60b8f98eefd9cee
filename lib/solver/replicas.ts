import { RistrettoError } from '../errors.js'
import type { SolverParameter } from '../generated/caffe.js'
import { fromDoubles, toDoubles } from '../group/words.js'
import { type Communicator, isOwn, type Share, shareOf } from '../group.js'
import type { Moving } from '../layer.js'
import type { Memory } from '../memory.js'
import type { LearnableParam } from '../net/node.js'
import type { Net } from '../net.js'
import {
  adoptFirst,
  agreeOnRun,
  agreeOnSeed,
  agreeOnStep,
  gatherLists,
  mustBeEqual,
  type Places,
  weightsHash,
} from './agreement.js'
import type { SolverOptions } from './options.js'
import { PassTree } from './pass_tree.js'
import type { TrainingRun } from './positions.js'
import { RandomWatch } from './random_watch.js'

/** Values that travel together at least, while backward goes on: 1 MiB. */
const BUCKET = 2 ** 18

/** What an iteration came to. */
export interface Passes {
  /** Sum over the passes of all members, in their order. */
  readonly loss: number
  /** Some member was asked for a snapshot. */
  readonly saves: boolean
  /** Values of the outputs of the last pass of all, where they are displayed. */
  readonly outputs: readonly number[]
}

/**
 * What a Solver does where an iteration is more than one pass: several of its own (iter_size), or of the members of a
 * group. Passes are numbered through the whole training and everything random in one is a function of its number, so it
 * does not matter who computes it; gradients are added up as one tree, losses and statistics in order.
 */
export class Replicas {
  /** Passes of an iteration: of this member, and of all. */
  readonly own: number
  readonly total: number
  /** By how many the gradient's norm is divided before it is clipped: the members, as in Caffe; 1 where they share. */
  readonly members: number
  private readonly group: Communicator | undefined
  private run!: TrainingRun
  private places!: Places
  private tree!: PassTree
  /** Layers that keep statistics of all batches. */
  private moving: Moving[] = []
  /** All have agreed to stop. */
  private agreed = false
  private wish = false
  /** The iteration at which the weights of all were last seen to be equal. */
  private equalAt = 0
  /** The last pass of an iteration runs backward: gradients are sent as they are ready. */
  private sending = false
  private readonly sent = new Set<LearnableParam>()
  private bucket: Memory[] = []
  private watch!: RandomWatch

  /** Before the nets are made. */
  constructor(
    private readonly param: SolverParameter,
    private readonly options: SolverOptions,
  ) {
    const { group, share } = options
    const size = param.iter_size ?? 1
    this.group = group && group.size > 1 ? group : undefined
    const members = this.group?.size ?? 1
    if (share && size % members)
      throw new RistrettoError(
        `solver: ${members} workers cannot share iter_size ${size}: with --share (the option share) it must be a multiple of them`,
      )
    this.own = share ? size / members : size
    this.total = this.own * members
    this.members = share ? 1 : members
  }

  /** Whether this member writes files. */
  get writes(): boolean {
    return !this.group || this.group.rank === 0
  }

  /** Whether all have agreed to stop; undefined where that is nobody else's business. */
  get stops(): boolean | undefined {
    return this.group && this.agreed
  }

  /** The seed that all members take; undefined where this one is alone and draws its own. */
  async seed(): Promise<number | undefined> {
    const { seed } = this.options
    const given = seed ?? ((this.param.random_seed ?? -1) >= 0 ? this.param.random_seed : undefined)
    return this.group ? agreeOnSeed(this.group, given) : given
  }

  /** Which batches of a test are this member's; of an iteration, where no number is given. */
  shareOf(batches = this.total): Share | undefined {
    return this.group && shareOf(this.group.rank, this.group.size, batches)
  }

  /** The nets are made. */
  async attach(run: TrainingRun, places: Places, notice: (text: string) => void): Promise<void> {
    this.run = run
    this.places = places
    this.tree = new PassTree(run.net.engine)
    const { group, own, total } = this
    if (!group) return
    const { net } = run
    await agreeOnRun(group, this.param, run)
    this.moving = net.layers.flatMap(layer => layer.moving ?? [])
    if (net.engine.isHost) this.sendWhileBackward(net, group)
    this.watch = new RandomWatch(place =>
      notice(
        `Math.random is called at ${place} while ${group.size} workers train: what draws from it cannot be repeated, and is another thing for any other number of workers. A layer's this.random draws functions of the seed and the batch`,
      ),
    )
    const items = itemsOf(net)
    notice(
      `${group.size} workers × batch ${items} × iter_size ${own} = ${items * total} items an iteration: as one worker with iter_size: ${total}`,
    )
    for (const layer of net.layers)
      if (layer.bottomCount.exactly !== 0 && layer.saveState())
        notice(
          `layer '${layer.name}' (${layer.type}) carries its state from batch to batch: each worker's from its own to its own, so results depend on the number of workers`,
        )
  }

  /** `step` is called; the first time all take what member 0 starts from. */
  async begin(iterations: number): Promise<void> {
    const { group, run, options } = this
    if (!group) return
    if (this.isFirst) await adoptFirst(group, run, this.places)
    this.isFirst = false
    await agreeOnStep(group, run.iter, iterations)
    this.agreed = false
    await this.exchange([options.signal?.aborted ? 1 : 0])
  }
  private isFirst = true

  /** Restore with `restore`, which only member 0 calls: it alone need have the files. */
  async restore(restore: () => Promise<void>): Promise<void> {
    const { group, run } = this
    if (!group) return restore()
    let failure: unknown
    if (group.rank === 0)
      await restore().catch(error => {
        failure = error
      })
    const rows = await group.gather(fromDoubles([failure === undefined ? 0 : 1]))
    if (failure !== undefined) throw failure
    if (toDoubles(rows[0])[0]) throw new RistrettoError('worker 0 could not restore the snapshot')
    await adoptFirst(group, run, this.places)
    this.equalAt = run.iter
  }

  /** Some member was asked for a snapshot: all make it after the next iteration. False where there are no others. */
  asks(): boolean {
    this.wish = this.group !== undefined
    return this.wish
  }

  /** Forward and backward over all passes; the diffs of the params then hold the sum of all gradients. */
  async compute(displayed: boolean): Promise<Passes> {
    return this.group ? this.watch.during(() => this.passes(displayed)) : this.passes(displayed)
  }

  private async passes(displayed: boolean): Promise<Passes> {
    const { group, own, total, moving } = this
    const { net } = this.run
    const { runner } = net
    const share = this.shareOf()
    const first = runner.count + (share?.before ?? 0)
    const losses: number[] = []
    const statistics: Float32Array[] = []
    this.sent.clear()
    for (let i = 0; i < own; i++) {
      runner.count = first + i
      this.sending = group !== undefined && i === own - 1
      await runner.forward()
      losses.push(await net.loss())
      for (const layer of moving) statistics.push(await layer.note())
      await runner.backward()
      if (!this.sending) this.tree.take(i, own, net.built.learnable)
    }
    runner.count = first - (share?.before ?? 0) + total
    if (!group) return { loss: losses.reduce((sum, loss) => sum + loss, 0), saves: false, outputs: [] }
    this.sending = false
    await this.sendRest(group)
    const outputs = displayed ? await outputsOf(net) : []
    const flags = [this.options.signal?.aborted ? 1 : 0, this.wish ? 1 : 0]
    this.wish = false
    const rows = await group.gather(joined([fromDoubles([...flags, ...losses, ...outputs]), ...statistics]))
    await group.finish()
    return this.taken(rows, outputs.length)
  }

  /** What the rows of all members say. */
  private taken(rows: readonly Float32Array[], outputs: number): Passes {
    const doubles = 2 + this.own + outputs
    const heads = rows.map(row => toDoubles(row.subarray(0, 2 * doubles)))
    for (const row of rows) {
      let at = 2 * doubles
      for (let i = 0; i < this.own; i++)
        for (const layer of this.moving) {
          layer.take(row.subarray(at, at + layer.length))
          at += layer.length
        }
    }
    this.agreed ||= heads.some(([stop]) => stop)
    return {
      loss: heads.flatMap(head => [...head.subarray(2, 2 + this.own)]).reduce((sum, loss) => sum + loss, 0),
      saves: heads.some(([, save]) => save),
      outputs: [...heads[heads.length - 1].subarray(2 + this.own)],
    }
  }

  /**
   * Lists of numbers of each batch of a test, in order: `read` computes those of this member's next batch. Undefined where
   * it is alone.
   */
  async deal(
    net: Net,
    batches: number,
    read: () => Promise<ArrayLike<number>[]>,
  ): Promise<Float64Array[][] | undefined> {
    const { group } = this
    const share = this.shareOf(batches)
    if (!group || !share || batches < 1) return undefined
    const first = net.runner.count
    const lists: Float64Array[] = []
    let n = 0
    for (let i = 0; i < share.own; i++) {
      net.runner.count = first + share.before + i
      const batch = await read()
      n = batch.length
      if (isOwn(share, batches)) lists.push(...batch.map(list => Float64Array.from(list)))
    }
    net.runner.count = first + batches
    const all = await gatherLists(group, lists)
    await this.checkWeights()
    return Array.from({ length: batches }, (_, i) => all.slice(i * n, (i + 1) * n))
  }

  /** At tests and snapshots: members whose weights are not equal do not train one net. Wishes to stop are heard as well. */
  async checkWeights(): Promise<void> {
    const { group, run, options } = this
    if (!group) return
    const hashes = await this.exchange([options.signal?.aborted ? 1 : 0, await weightsHash(run)])
    mustBeEqual(
      hashes.map(([, hash]) => hash),
      this.equalAt,
      run.iter,
    )
    this.equalAt = run.iter
  }

  /** One more forward pass, whose loss is displayed when training ends: member 0's, which leaves no trace but in statistics. */
  async lastLoss(): Promise<number> {
    const { group, moving } = this
    const { net } = this.run
    const { runner } = net
    if (!group) {
      await runner.forward()
      return net.loss()
    }
    const statistics: Float32Array[] = moving.map(({ length }) => new Float32Array(length))
    let loss = 0
    if (group.rank === 0) {
      const states = net.layers.map(layer => layer.saveState())
      const { count } = runner
      await runner.forward()
      loss = await net.loss()
      for (const [i, layer] of moving.entries()) statistics[i] = await layer.note()
      runner.count = count
      for (const [i, layer] of net.layers.entries()) if (states[i]) layer.restoreState(states[i])
    }
    const [row] = await group.gather(joined([fromDoubles([loss]), ...statistics]))
    let at = 2
    for (const layer of moving) {
      layer.take(row.subarray(at, at + layer.length))
      at += layer.length
    }
    return toDoubles(row.subarray(0, 2))[0]
  }

  /** Refuse what only members of a group that all do it at once could do. */
  refuse(method: string): void {
    if (this.group)
      throw new RistrettoError(
        `${method}: the gradients of ${this.group.size} workers are added up by step; call step, or train with one worker`,
      )
  }

  dispose(): void {
    this.tree?.dispose()
  }

  /** Rows of numbers of all, the first of which says who wants to stop. */
  private async exchange(row: readonly number[]): Promise<Float64Array[]> {
    const rows = (await this.group!.gather(fromDoubles(row))).map(toDoubles)
    this.agreed ||= rows.some(([stop]) => stop)
    return rows
  }

  /** A param's gradient is ready once the first layer that uses it has run backward. */
  private sendWhileBackward(net: Net, group: Communicator): void {
    const { nodes, params, learnable } = net.built
    const last = new Map<number, string>()
    for (const node of nodes)
      for (const p of node.params) if (!last.has(params[p].learnable)) last.set(params[p].learnable, node.key)
    const due = new Map<string, LearnableParam[]>()
    for (const [p, key] of last) due.set(key, [...(due.get(key) ?? []), learnable[p]])
    net.runner.hooks.afterBackward.push(key => {
      if (!this.sending) return
      this.send(group, due.get(key) ?? [])
      group.progress?.()
    })
  }

  private send(group: Communicator, params: readonly LearnableParam[]): void {
    const learning = params.filter(param => param.lrMult !== 0 && !this.sent.has(param))
    this.tree.take(this.own - 1, this.own, learning)
    for (const param of learning) {
      this.sent.add(param)
      this.bucket.push(param.blob.memory.diff)
    }
    if (this.bucket.reduce((sum, { length }) => sum + length, 0) >= BUCKET) this.sendBucket(group)
  }

  private sendBucket(group: Communicator): void {
    if (this.bucket.length) group.sum(...this.bucket)
    this.bucket = []
  }

  /** What no layer has sent. On a device that is everything, brought home first. */
  private async sendRest(group: Communicator): Promise<void> {
    const { learnable } = this.run.net.built
    this.send(group, learnable)
    for (const memory of this.bucket) await memory.pull()
    this.sendBucket(group)
  }
}

/** Items of a batch, as the layers say that data comes from. */
const itemsOf = ({ built }: Net): number =>
  Math.max(
    1,
    ...built.nodes
      .flatMap(({ bottom, layer, top }) => (bottom.length || layer.blobs.length ? [] : top))
      .map(blob => (blob.numAxes ? blob.dim(0) : 1)),
  )

const joined = (parts: readonly Float32Array[]): Float32Array => {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

async function outputsOf(net: Net): Promise<number[]> {
  const values: number[] = []
  for (const name of net.outputs) {
    await net.blobs[name].memory.data.pull()
    values.push(...net.blobs[name].memory.data.values)
  }
  return values
}

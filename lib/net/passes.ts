import type { Blob } from '../blob.js'
import { RistrettoError } from '../errors.js'
import { macrotask, mustYield } from '../system/macrotask.js'
import { checkInStep, type Feed, type FeedPlace, inputReaders, isEmpty, refuseEmpty, refuseOrphan } from './feed.js'
import { type Fused, fusedLayers } from './fusion.js'
import { homeForBackward, homeForForward, isHostLayer } from './host_layer.js'
import type { InferencePlan } from './inference.js'
import type { Joined } from './joined.js'
import { namingLayer } from './naming_layer.js'
import type { BuiltNet, NetNode } from './node.js'
import type { LayerHook } from './options.js'
import { ParamShapes } from './param_shapes.js'
import { reshapeNode, shapesChanged } from './shapes.js'
import { backwardInTime, forwardInTime, mustBeInTime, type PassLimits, runJoined } from './time_limit.js'

/** Runs the layers of a built net: one pass at a time, with its hooks and feeds, and what `optimize` changes. */
export class Passes {
  /** How many forward passes have run: the iteration number of every layer's random stream. */
  count = 0
  /** Log the mean absolute value of every blob and param as it is computed. */
  debugInfo: boolean
  readonly hooks = {
    beforeForward: [] as LayerHook[],
    afterForward: [] as LayerHook[],
    beforeBackward: [] as LayerHook[],
    afterBackward: [] as LayerHook[],
  }
  private feeds: Feed[] = []
  /** Told when a feed has given all its items once more. */
  onEpoch: ((epoch: number, inputs: readonly string[]) => void) | undefined
  /** Places of feeds that a snapshot kept, for those that are attached after it was restored. */
  private kept: Readonly<Record<string, FeedPlace>> = {}
  /** Inputs whose joint feed has gone with another of its inputs. */
  private readonly orphans = new Set<Blob>()
  private tail: Promise<unknown> | undefined
  private gone = false
  private plan: InferencePlan | undefined
  private fused: ReadonlyMap<NetNode, Fused>
  /** The layers that read inputs, with those inputs. */
  private readonly readers: ReadonlyMap<NetNode, readonly Blob[]>
  /** Params as their layers made them. */
  private readonly params: ParamShapes

  /** @param watch holds a reshaped layer against what the net may take */
  constructor(
    readonly built: BuiltNet,
    private readonly watch?: (node: NetNode) => void,
  ) {
    this.debugInfo = built.filtered.debug_info ?? false
    this.fused = fusedLayers(built.nodes)
    this.readers = inputReaders(built)
    this.params = new ParamShapes(built)
  }

  /** Throws a NetError for a param that a program gave another shape. */
  checkParams(): void {
    this.params.check()
  }

  /** Whether nothing runs or waits. */
  get idle(): boolean {
    return this.tail === undefined
  }

  /** Whether the net was made with `optimize: 'inference'`. */
  get optimized(): boolean {
    return this.plan !== undefined
  }

  /** Whether the net's memory was given back. */
  get disposed(): boolean {
    return this.gone
  }

  /** What a disposed net says to whoever wants something of it. */
  refusal(): RistrettoError | undefined {
    if (!this.gone) return undefined
    return new RistrettoError(`net '${this.built.name}' was disposed: its memory was given back, make it again`)
  }

  /** Throws if the net was disposed. */
  mustLive(): void {
    const refused = this.refusal()
    if (refused) throw refused
  }

  /** Run `task` when the passes before it are done; nothing else runs on this net meanwhile. */
  exclusive<T>(task: () => Promise<T>): Promise<T> {
    const refused = this.refusal() ?? this.ofItself()
    if (refused) return Promise.reject(refused)
    const run = this.tail ? this.tail.then(() => this.runs(task)) : this.runs(task)
    const free = () => {
      if (this.tail === settled) this.tail = undefined
    }
    const settled = run.then(free, free)
    this.tail = settled
    return run
  }

  /** What a net says whose memory was given back before the task or under it is that, not what was found missing. */
  private async runs<T>(task: () => Promise<T>): Promise<T> {
    this.mustLive()
    try {
      return await this.within(task)
    } catch (error) {
      throw (error instanceof RistrettoError && this.refusal()) || error
    }
  }

  /** Whether a hook or task that runs while others wait has been called and has not come back or begun to wait. */
  private inside = false

  /** Call what runs while others wait: what it starts on this net would wait for its end. */
  private within<T>(call: () => T): T {
    this.inside = true
    try {
      return call()
    } finally {
      this.inside = false
    }
  }

  private ofItself(): RistrettoError | undefined {
    if (!this.inside) return undefined
    return new RistrettoError(
      `net '${this.built.name}': a hook or a task of exclusive starts a pass on the net that waits for it, and would wait for ever; start it afterwards, or use another net: other.shareWith(net)`,
    )
  }

  private hooked(hook: LayerHook, key: string): void | Promise<void> {
    return this.within(() => hook(key))
  }

  /** Take the batches of an input from this source from now on. */
  feed(feed: Feed): void {
    this.mustLive()
    for (const other of this.feeds.filter(other => other.replacedBy(feed))) this.end(other)
    for (const blob of feed.blobs) {
      this.orphans.delete(blob)
      this.makerOf(blob)?.layer.fed.add(blob)
    }
    const place = this.kept[feed.names]
    if (place) feed.goTo(place)
    this.feeds.push(feed)
  }

  /** Where the feeds are, by the names of their inputs. */
  get feedPlaces(): Record<string, FeedPlace> {
    return Object.fromEntries(this.feeds.flatMap(feed => (feed.place ? [[feed.names, feed.place]] : [])))
  }

  /** Put the feeds where they were; those that come later go there, too. */
  restoreFeeds(places: Readonly<Record<string, FeedPlace>>): void {
    this.kept = places
    for (const feed of this.feeds) if (Object.hasOwn(places, feed.names)) feed.goTo(places[feed.names])
  }

  /** Let go of what feeds these inputs: they keep the values that they have. */
  unfeed(blobs: readonly Blob[]): void {
    for (const feed of this.feeds.filter(({ blobs: fed }) => fed.some(blob => blobs.includes(blob)))) this.end(feed)
    for (const blob of blobs) this.orphans.delete(blob)
  }

  private end(feed: Feed): void {
    this.feeds = this.feeds.filter(other => other !== feed)
    // a MemoryData layer that was given data since does without
    for (const blob of feed.blobs) if (this.makerOf(blob)?.layer.fed.delete(blob)) this.orphans.add(blob)
  }

  private makerOf(blob: Blob): NetNode | undefined {
    return this.built.nodes.find(({ top }) => top.includes(blob))
  }

  /** Whether the values of an input come from a feed. */
  isFed(blob: Blob): boolean {
    return this.feeds.some(({ blobs }) => blobs.includes(blob))
  }

  /** Layers start … end inclusive, forward. Callers hold the net through `exclusive`. */
  async forward(start = 0, end = this.built.nodes.length - 1, { signal, timeLimit }: PassLimits = {}): Promise<void> {
    const { nodes, context } = this.built
    const { beforeForward, afterForward } = this.hooks
    const device = context.engine.isHost ? undefined : context.engine
    if (this.feeds.length > 1) checkInStep(this.feeds)
    for (const feed of this.feeds) {
      if (!feed.takesPart(start, end)) continue
      const wait = feed.next()
      if (wait) await wait
    }
    for (const blob of this.orphans) refuseOrphan(blob)
    this.checkParams()
    await this.prepare()
    const until = timeLimit === undefined ? undefined : performance.now() + timeLimit
    // whoever looks between two layers gets to see what is there
    const watched = beforeForward.length > 0 || afterForward.length > 0 || this.debugInfo
    let done: NetNode | undefined
    let joinedUntil = -1
    for (let i = start; i <= end; i++) {
      if (i <= joinedUntil) continue
      // no iterators here without need: each is garbage, for every layer of every pass
      const node = nodes[i]
      if (node === done) continue
      signal?.throwIfAborted()
      if (until !== undefined) mustBeInTime(node, until)
      if (beforeForward.length) for (const hook of beforeForward) await this.hooked(hook, node.key)
      if (this.plan?.skipped.has(node)) continue
      const joined = watched ? undefined : this.plan?.joinedAt(node)
      if (joined && joined.last <= end && this.mayJoin(i, joined.last) && runJoined(joined, node, until)) {
        joinedUntil = joined.last
        if (mustYield()) await macrotask()
        continue
      }
      if (shapesChanged(node) || isHostLayer(node.layer)) this.reshapeNode(node)
      if (this.readers.get(node)?.some(isEmpty)) refuseEmpty(this.built, i, end)
      if (node.layer.engine !== context.engine) await homeForForward(node)
      node.layer.random.iteration = this.count
      const next = watched ? undefined : this.fused.get(node)
      try {
        device?.calledBy?.(node.layer)
        let wait: void | Promise<void> | null = null
        if (next && next.place <= end) {
          if (shapesChanged(next.node)) this.reshapeNode(next.node)
          if (until === undefined) node.layer.forward(node.bottom, node.top, next.after)
          else forwardInTime(node, until, next.after)
          done = next.node
        } else if (until === undefined) wait = node.layer.forward(node.bottom, node.top)
        else wait = forwardInTime(node, until)
        device?.calledBy?.()
        if (wait) await wait
      } catch (error) {
        device?.calledBy?.()
        throw namingLayer(node.layer, error)
      }
      if (this.debugInfo) await (await import('./debug_info.js')).debugForward(this.built, node)
      if (afterForward.length) for (const hook of afterForward) await this.hooked(hook, node.key)
      if (mustYield()) await macrotask()
    }
    this.count++
  }

  /** Layers start … end inclusive, backward (start ≥ end). Callers hold the net through `exclusive`. */
  async backward(start = this.built.nodes.length - 1, end = 0, { signal, timeLimit }: PassLimits = {}): Promise<void> {
    const { nodes, context } = this.built
    const { beforeBackward, afterBackward } = this.hooks
    const device = context.engine.isHost ? undefined : context.engine
    const until = timeLimit === undefined ? undefined : performance.now() + timeLimit
    for (let i = start; i >= end; i--) {
      const node = nodes[i]
      if (!node.needsBackward) continue
      signal?.throwIfAborted()
      if (until !== undefined) mustBeInTime(node, until)
      for (const hook of beforeBackward) await this.hooked(hook, node.key)
      if (node.layer.engine !== context.engine) await homeForBackward(node)
      try {
        device?.calledBy?.(node.layer)
        const wait =
          until === undefined
            ? node.layer.backward(node.top, node.bottomNeedsBackward, node.bottom)
            : backwardInTime(node, until)
        device?.calledBy?.()
        if (wait) await wait
      } catch (error) {
        device?.calledBy?.()
        throw namingLayer(node.layer, error)
      }
      if (this.debugInfo) await (await import('./debug_info.js')).debugBackward(this.built, node)
      for (const hook of afterBackward) await this.hooked(hook, node.key)
      if (mustYield()) await macrotask()
    }
    if (this.debugInfo) await (await import('./debug_info.js')).debugNorms(this.built)
  }

  /** Shape every blob from the inputs as they stand, without running. */
  reshape(): void {
    this.mustLive()
    const { nodes } = this.built
    for (const node of nodes) this.reshapeNode(node)
    if (!this.plan) return
    this.plan.link()
    for (const node of nodes) this.reshapeNode(node)
    this.plan.share()
  }

  /** `optimize: 'inference'`, for a net in phase TEST. */
  async optimize(keep: readonly string[]): Promise<void> {
    const { name, phase, nodes } = this.built
    if (phase !== 'TEST') throw new RistrettoError(`optimize: 'inference' needs phase TEST, net '${name}' is ${phase}`)
    const { InferencePlan } = await import('./inference.js')
    this.plan = new InferencePlan(this.built, keep)
    for (const node of nodes) node.layer.needsBackward = false
    this.fused = fusedLayers(nodes, this.plan.skipped)
    this.reshape()
  }

  /** Fold the params of an optimized net as they are now, which decides anew which layers run. */
  refold(): void {
    if (!this.plan) return
    this.plan.fold()
    this.fused = fusedLayers(this.built.nodes, this.plan.skipped)
    this.reshape()
  }

  /** Go on with the random streams of another run. */
  reseed(seed: number): void {
    this.built.context.seed = seed
    for (const { layer } of this.built.nodes) {
      layer.context.seed = seed
      layer.random.seed = seed
    }
  }

  /** Give all memory back. */
  dispose(): void {
    if (this.gone) return
    this.gone = true
    const { nodes, blobs, params } = this.built
    for (const node of nodes) node.layer.dispose()
    this.plan?.dispose()
    for (const blob of [...blobs, ...params.map(param => param.blob)]) blob.dispose()
  }

  /** The rows of layers that the engine of an optimized net joins at these shapes. */
  joined(): readonly Joined[] {
    return this.plan?.joined() ?? []
  }

  /** Whether nothing has to be done for layers start … end before they run. */
  private mayJoin(start: number, end: number): boolean {
    for (let i = start; i <= end; i++) {
      const node = this.built.nodes[i]
      if (shapesChanged(node) || this.readers.get(node)?.some(isEmpty)) return false
    }
    return true
  }

  private reshapeNode(node: NetNode): void {
    reshapeNode(node)
    this.watch?.(node)
  }

  /** Shared memory is laid out for all shapes at once, and folded params follow whoever changed them. */
  private async prepare(): Promise<void> {
    if (!this.plan) return
    if (this.plan.isStale) {
      for (const { blob } of this.built.params) await blob.memory.data.pull()
      this.refold()
    } else if (this.built.nodes.some(shapesChanged)) this.reshape()
  }
}

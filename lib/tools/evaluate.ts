import { type Blob, shapeText } from '../blob.js'
import type { Position } from '../data/source.js'
import { RistrettoError } from '../errors.js'
import type { Layer } from '../layer.js'
import type { Net } from '../net.js'
import { classOf } from '../registry.js'
import { mustTake } from '../system/arguments.js'
import { aFunction, aSignal, aText, checkOptions, type OptionRules, only } from '../system/check_options.js'
import { didYouMean, listNames } from '../system/names.js'
import type { Values } from '../system/ndarrays.js'
import {
  type Evaluation,
  EvaluationTally,
  type ScoredBatch,
  TALLY_RULES,
  type TallyOptions,
} from './evaluation_tally.js'

/** Batches of the net's inputs. */
export type InputBatches = Iterable<Record<string, Values>> | AsyncIterable<Record<string, Values>>

/** What is compared, and what is listed. */
export interface EvaluateOptions extends TallyOptions {
  /** Blob of the classes' scores or probabilities; default: what the net's last loss or accuracy compares. */
  readonly scores?: string
  /** Blob of the labels; default: what the scores are compared with. */
  readonly labels?: string
  /** Called after every batch with the number of items so far. */
  readonly onBatch?: (items: number) => void
  readonly signal?: AbortSignal
}

const RULES: OptionRules<EvaluateOptions> = {
  ...TALLY_RULES,
  scores: aText,
  labels: aText,
  onBatch: aFunction,
  signal: aSignal,
}

/**
 * How good a net is, item by item: confusion matrix, top-k shares, the hardest and the misclassified items.
 *
 * evaluate(net)                          // every item of the net's own data once
 * evaluate(net, 10)                      // 10 batches of it
 * evaluate(net, [{ data, label }, …])    // batches for its inputs
 *
 * The net has a layer that compares scores with labels (a loss or an Accuracy), or `scores` and `labels` name the blobs.
 * Labels that the comparing layer ignores are left out. A net in phase TRAIN goes on afterwards as if nothing had been: its
 * random draws and the statistics of its batches are what they were. After every item once the data layers are where they were, so that
 * a solver's next test is what it would have been; a number of batches is taken as a test takes them, from where they are.
 *
 * @throws RistrettoError for a net without scores and labels, or without data of its own where no batches are given
 */
export async function evaluate(
  net: Net,
  source?: number | InputBatches,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  mustTake(typeof net?.blobs === 'object', 'evaluate', 'a net', net)
  checkOptions('evaluate', options, RULES)
  const compared = comparedBlobs(net, options)
  const quiet = await Untouched.of(net)
  const tally = new EvaluationTally({ ...compared.how, ...only<TallyOptions>(options, TALLY_RULES) })
  const layer = net.layers.find(layer => layer.itemNames)
  const set = source === undefined ? await WholeSet.of(net, layer) : undefined
  try {
    for await (const inputs of typeof source === 'object' ? mustBeBatches(source) : nothing(source)) {
      if (options.signal?.aborted) break
      const names = await layer?.itemNames?.()
      await net.forward(inputs)
      const batch = await batchOf(compared)
      tally.add(batch, names, set?.taken(batch.items))
      options.onBatch?.(tally.items)
      if (set?.ended) break
    }
  } finally {
    set?.putBack()
    await quiet.putBack()
  }
  return tally.result()
}

function mustBeBatches(source: InputBatches): InputBatches {
  if (source && (Symbol.iterator in source || Symbol.asyncIterator in source)) return source
  throw new RistrettoError(
    `evaluate takes a list of batches, [{ data: …, label: … }], or a number of batches, not ${source ? 'an object' : 'null'}`,
  )
}

/** Batches of the net's own data: so many, or as many as somebody takes. */
function* nothing(times = Number.POSITIVE_INFINITY): Generator<Record<string, Values>, void, void> {
  if (times !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(times) && times >= 1))
    throw new RistrettoError(`evaluate: the number of batches is a whole number from 1 on, not ${times}`)
  for (let i = 0; i < times; i++) yield {}
}

/** What passes of a net in phase TRAIN change: the number of the draw, and what batches are found to be like. */
class Untouched {
  private constructor(
    private readonly net: Net,
    private readonly count: number,
    private readonly statistics: readonly { blob: Blob; values: Float32Array }[],
  ) {}

  static async of(net: Net): Promise<Untouched> {
    // nobody learns them, so that only a pass can change them
    const blobs = net.built.learnable.filter(({ lrMult }) => net.phase === 'TRAIN' && lrMult === 0)
    const statistics: { blob: Blob; values: Float32Array }[] = []
    for (const { blob } of blobs) {
      await blob.pull()
      statistics.push({ blob, values: blob.dataArray.slice() })
    }
    return new Untouched(net, net.runner.count, statistics)
  }

  async putBack(): Promise<void> {
    this.net.runner.count = this.count
    for (const { blob, values } of this.statistics) {
      await blob.pull()
      if (values.some((value, i) => !Object.is(value, blob.dataArray[i]))) blob.dataArray.set(values)
    }
  }
}

/** A data layer's records from the first one on, each once; those of the net's other data layers beside them. */
class WholeSet {
  /** How many records there are, once the end has been seen. */
  size: number | undefined
  private before: Position = { item: 0, record: 0, epoch: 0 }

  private constructor(
    private readonly layer: Layer,
    /** Where the layers were. */
    private readonly states: ReadonlyMap<Layer, Record<string, number>>,
  ) {
    for (const other of states.keys()) if (other.itemNames) other.restoreState({ ...this.before })
  }

  static async of(net: Net, layer: Layer | undefined): Promise<WholeSet> {
    if (!layer)
      throw new RistrettoError(
        `evaluate: net '${net.name}' has no data layer with an end (Data or ImageData): say how many batches of ${net.inputs.some(name => net.runner.isFed(net.blobs[name])) ? 'what it is fed' : 'its data'} to take, evaluate(net, 10), or give batches for its inputs, evaluate(net, [{ data: …, label: … }])`,
      )
    net.runner.mustLive()
    const states = new Map<Layer, Record<string, number>>()
    for (const each of net.layers) {
      await each.pullState()
      const state = each.saveState()
      if (state) states.set(each, state)
    }
    return new WholeSet(layer, states)
  }

  /** The layers go on from where they were. */
  putBack(): void {
    for (const [layer, state] of this.states) layer.restoreState(state)
  }

  get ended(): boolean {
    return this.size !== undefined
  }

  /** How many items of the batch just taken, `batch` long, come before the end. */
  taken(batch: number): number {
    const { before } = this
    const after = this.layer.saveState() as unknown as Position
    this.before = after
    const epochs = after.epoch - before.epoch
    if (!epochs) return batch
    this.size = (before.record + batch - after.record) / epochs
    return Math.min(batch, this.size - before.record)
  }
}

interface Compared {
  readonly scores: Blob
  readonly labels: Blob
  readonly how: TallyOptions
}

function comparedBlobs(net: Net, options: EvaluateOptions): Compared {
  const node = net.built.nodes.findLast(({ param }) => classOf(param)?.compares)
  const find = (what: 'scores' | 'labels', blob: Blob | undefined): Blob => {
    const name = options[what]
    if (name === undefined && blob) return blob
    if (name === undefined)
      throw new RistrettoError(
        `evaluate: net '${net.name}' compares no scores with labels, as SoftmaxWithLoss and Accuracy do: name the blob of the ${what}`,
      )
    if (Object.hasOwn(net.blobs, name)) return net.blobs[name]
    const known = Object.keys(net.blobs)
    throw new RistrettoError(
      `evaluate: net '${net.name}' has no blob '${name}'${didYouMean(name, known)}; its blobs are ${listNames(known)}`,
    )
  }
  const { loss_param, accuracy_param } = node?.param ?? {}
  const compares = node && options.scores === undefined ? classOf(node.param)?.compares : undefined
  return {
    scores: find('scores', node?.bottom[0]),
    labels: find('labels', node?.bottom[1]),
    how: {
      ignored: loss_param?.ignore_label ?? accuracy_param?.ignore_label,
      ...(compares && compares !== 'either' && { probabilities: compares === 'probabilities' }),
    },
  }
}

async function batchOf({ scores, labels }: Compared): Promise<ScoredBatch> {
  await scores.memory.data.pull()
  await labels.memory.data.pull()
  const [items, classes] = scores.shape
  const places = scores.size(2)
  if (!(classes >= 1) || (classes === 1 && places === 1) || labels.count !== items * places)
    throw new RistrettoError(
      `evaluate: '${scores.name}' (${shapeText(scores.shape)}) and '${labels.name}' (${shapeText(labels.shape)}) are not N × classes × … scores and a label for each place outside the classes`,
    )
  if (classes > 1) return { items, classes, places, scores: scores.dataArray, labels: labels.dataArray }
  // one channel is the probability of the second of two classes
  const both = new Float32Array(2 * scores.count)
  scores.dataArray.forEach((probability, i) => {
    const at = Math.floor(i / places) * 2 * places + (i % places)
    both[at] = 1 - probability
    both[at + places] = probability
  })
  return { items, classes: 2, places, scores: both, labels: labels.dataArray }
}

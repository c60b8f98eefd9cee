/**
 * The usual mistakes in nets and solvers that Caffe runs without a word, each with its fix. Printed once when training
 * starts.
 */
import type { FillerParameter, LayerParameter, SolverParameter } from '../generated/caffe.js'
import type { Layer } from '../layer.js'
import type { BuiltNet } from '../net/node.js'
import { classOf, messagesOf } from '../registry.js'

/** Hints for a train net and its solver; empty if there is nothing to say. `fresh`: no trained weights were loaded. */
export async function lint(net: BuiltNet, solver: SolverParameter, fresh: boolean): Promise<string[]> {
  // as they were written, before splits come between them
  const layers = net.filtered.layer ?? []
  const weights = new Set(
    net.nodes.filter(node => node.lossWeights.some(weight => weight !== 0)).map(node => node.name),
  )
  return [
    ...lintSolver(solver),
    ...(weights.size
      ? []
      : [
          'no layer has a loss weight: nothing will be learned; add a loss layer, or loss_weight: 1 to the layer of your own that is one',
        ]),
    ...lintLayers(layers),
    ...lintClasses(net),
    ...(fresh ? await lintWeights(net, layers) : []),
  ]
}

function lintSolver(p: SolverParameter): string[] {
  const hints: string[] = []
  const needsGamma = ['step', 'exp', 'inv', 'multistep', 'sigmoid', 'plateau', 'stepearly'].includes(p.lr_policy ?? '')
  if (!p.base_lr) hints.push('base_lr is 0 or missing: no weight will move; write for example base_lr: 0.01')
  if (needsGamma && p.gamma === undefined)
    hints.push(`lr_policy '${p.lr_policy}' without gamma: gamma counts as 0; write for example gamma: 0.1`)
  if (['inv', 'poly'].includes(p.lr_policy ?? '') && p.power === undefined)
    hints.push(`lr_policy '${p.lr_policy}' without power: power counts as 0, so the rate stays as it is`)
  if (p.lr_policy === 'multistep' && !p.stepvalue?.length)
    hints.push("lr_policy 'multistep' without stepvalue: the rate never drops")
  if (p.lr_policy === 'poly' && !p.max_iter) hints.push("lr_policy 'poly' needs max_iter: without it the rate is 0")
  if (p.stepvalue?.some((value, i, all) => i > 0 && value <= all[i - 1]))
    hints.push(`stepvalue ${p.stepvalue.join(', ')} does not rise: the later steps come late`)
  if (p.snapshot && p.snapshot_prefix === undefined)
    hints.push('snapshot without snapshot_prefix: snapshots have nowhere to go')
  if ((p.test_interval ?? 0) > 0 && !p.test_iter?.length)
    hints.push(
      `test_interval ${p.test_interval} without test_iter: nothing is tested; write test_iter: as many batches as the test data has`,
    )
  return hints
}

/** The same of a description alone, of its training layers: nothing of it has been made. */
export function lintDescription(layers: readonly LayerParameter[]): string[] {
  const zero = layers.filter(fillsWithZero).map(startsWithZero)
  return [...lintLayers(layers), ...zero]
}

function lintLayers(layers: readonly LayerParameter[]): string[] {
  const hints: string[] = []
  for (const [i, layer] of layers.entries()) {
    const at = `layer '${layer.name}' (${layer.type})`
    const readers = layers.slice(i + 1).filter(next => next.bottom?.includes(layer.top?.[0] ?? ''))
    const hint = classOf(layer)?.hint?.(
      readers.flatMap(reader => classOf(reader) ?? []),
      layer,
    )
    if (hint) hints.push(`${at} ${hint}`)
  }
  return hints
}

/** One score for each label: whatever it is, its softmax is 1. */
function lintClasses({ nodes }: BuiltNet): string[] {
  return nodes
    .filter(({ layer, bottom, lossWeights }) => {
      const { compares } = layer.constructor as typeof Layer
      return compares === 'scores' && lossWeights[0] && bottom[0].count === bottom[1].count
    })
    .map(
      ({ name, param }) =>
        `layer '${name}' (${param.type}) tells one class apart from nothing: its loss is always 0 and nothing is learned; num_output is the number of classes, two or more`,
    )
}

/** Weights may have come from somewhere else than a filler: what they are counts. */
async function lintWeights(net: BuiltNet, layers: readonly LayerParameter[]): Promise<string[]> {
  const hints: string[] = []
  for (const layer of layers.filter(fillsWithZero)) {
    const data = net.nodes.find(node => node.name === layer.name)?.layer.blobs[0]?.memory.data
    await data?.pull()
    if (data?.values.every(value => value === 0)) hints.push(startsWithZero(layer))
  }
  return hints
}

const startsWithZero = ({ name, type }: LayerParameter): string =>
  `layer '${name}' (${type}) starts with all weights zero, so nothing reaches the layers below it: add weight_filler { type: "xavier" }`

function fillsWithZero(layer: LayerParameter): boolean {
  if (!classOf(layer)?.needsWeights) return false
  const own = messagesOf(layer.type ?? '').map(name => (layer as Record<string, unknown>)[name] as Filled | undefined)
  const frozen = layer.param?.[0]?.lr_mult === 0
  return !frozen && isZero(own.find(message => message)?.weight_filler)
}

/** A message of weights. */
interface Filled {
  readonly weight_filler?: FillerParameter
}

const isZero = (filler: FillerParameter | undefined): boolean =>
  (filler?.type ?? 'constant') === 'constant' && !filler?.value

/**
 * What Caffe does to a net before any layer exists: pick the layers of a state, and split tops that feed several
 * bottoms. Pure functions from NetParameter to NetParameter, on upgraded parameters (`layer`, not `layers`).
 */
import { NetError, throwAll } from '../errors.js'
import type { LayerParameter, NetParameter, NetStateRule } from '../generated/caffe.js'
import type { Phase } from '../layer.js'
import { keepPlace, placeOf } from '../proto/places.js'
import { didYouMean, listNames } from '../system/names.js'

/** The state that include and exclude rules are matched against. */
export interface NetStateValues {
  readonly phase: Phase
  readonly level: number
  readonly stages: readonly string[]
}

/** Whether a rule matches: every part that it gives must hold. */
export function ruleMatches(rule: NetStateRule, state: NetStateValues): boolean {
  if (rule.phase !== undefined && rule.phase !== state.phase) return false
  if (rule.min_level !== undefined && state.level < rule.min_level) return false
  if (rule.max_level !== undefined && state.level > rule.max_level) return false
  if (rule.stage?.some(stage => !state.stages.includes(stage))) return false
  if (rule.not_stage?.some(stage => state.stages.includes(stage))) return false
  return true
}

/**
 * Keep the layers whose include/exclude rules fit the state. A layer may have rules of one kind only; any that matches
 * suffices.
 */
export function filterNet(net: NetParameter, state: NetStateValues): NetParameter {
  const layer = (net.layer ?? []).filter(param => {
    const include = param.include ?? []
    const exclude = param.exclude ?? []
    if (include.length && exclude.length)
      throw new NetError(
        `layer '${param.name ?? ''}' has both include and exclude rules: give either what it is part of or what it is not`,
        { layer: param.name ?? '', field: 'exclude', place: placeOf(param, 'exclude') },
      )
    return include.length
      ? include.some(rule => ruleMatches(rule, state))
      : !exclude.some(rule => ruleMatches(rule, state))
  })
  return { ...net, layer }
}

interface Top {
  readonly layer: number
  readonly index: number
  uses: number
  lossWeight: number
  /** Next split output to give away. */
  next: number
}

/**
 * Insert a Split layer behind every top that more than one bottom (or a loss weight and a bottom) uses, with Caffe's
 * names.
 */
export function insertSplits(net: NetParameter): NetParameter {
  const layers = net.layer ?? []
  const { producers, sources, errors } = findUses(layers)
  throwAll(errors)
  const result: LayerParameter[] = []
  layers.forEach((original, i) => {
    const param: LayerParameter = keepPlace(original, { ...original })
    result.push(param)
    param.bottom = param.bottom?.map((blob, j) => {
      const source = sources[i][j]
      return source.uses > 1 ? splitBlobName(nameOf(layers[source.layer]), blob, source.index, source.next++) : blob
    })
    for (const top of producers[i]) {
      if (top.uses <= 1) continue
      const blob = param.top![top.index]
      result.push(splitLayer(nameOf(param), blob, top))
      if (top.lossWeight) {
        // the split takes the weight over, and keeps its first output for it
        param.loss_weight = undefined
        top.next++
      }
    }
  })
  return { ...net, layer: result }
}

/** For each layer its tops, and for each bottom the top it reads. */
function findUses(layers: LayerParameter[]): { producers: Top[][]; sources: Top[][]; errors: NetError[] } {
  const errors: NetError[] = []
  const latest = new Map<string, Top>()
  const producers: Top[][] = []
  const sources: Top[][] = []
  layers.forEach((param, i) => {
    sources.push(
      (param.bottom ?? []).map((blob, j) => {
        const top = latest.get(blob)
        if (top) top.uses++
        else if (errors.length < MAX_ERRORS) errors.push(unknownBottom(param, j, [...latest.keys()]))
        return top ?? { layer: -1, index: 0, uses: 0, lossWeight: 0, next: 0 }
      }),
    )
    producers.push(
      (param.top ?? []).map((blob, index) => {
        const top: Top = { layer: i, index, uses: 0, lossWeight: 0, next: 0 }
        latest.set(blob, top)
        return top
      }),
    )
    const weights = param.loss_weight ?? []
    for (let j = 0; j < Math.min(weights.length, param.top?.length ?? 0); j++) {
      const top = latest.get(param.top![j])!
      top.lossWeight = weights[j]
      if (weights[j]) top.uses++
    }
  })
  return { producers, sources, errors }
}

/** What is the matter with each bottom that no layer makes. */
export const unknownBottoms = (net: NetParameter): NetError[] => findUses(net.layer ?? []).errors

const MAX_ERRORS = 100

function unknownBottom(param: LayerParameter, j: number, known: readonly string[]): NetError {
  const blob = param.bottom![j]
  const field = `bottom[${j}]`
  return new NetError(
    `layer '${nameOf(param)}' (${param.type ?? ''}): bottom ${j} is '${blob}', which no layer before it makes${didYouMean(blob, known)}${known.length ? `; known so far: ${listNames(known)}` : ''}`,
    { layer: nameOf(param), field, place: placeOf(param, field) },
  )
}

function splitLayer(layerName: string, blob: string, top: Top): LayerParameter {
  const split: LayerParameter = {
    name: `${blob}_${layerName}_${top.index}_split`,
    type: 'Split',
    bottom: [blob],
    top: Array.from({ length: top.uses }, (_, k) => splitBlobName(layerName, blob, top.index, k)),
  }
  if (top.lossWeight) split.loss_weight = split.top!.map((_, k) => (k === 0 ? top.lossWeight : 0))
  return split
}

const splitBlobName = (layerName: string, blob: string, topIndex: number, k: number) =>
  `${blob}_${layerName}_${topIndex}_split_${k}`

const nameOf = (param: LayerParameter) => param.name ?? ''

// ---- who needs gradients --------------------------------------------------------------------------------------------

/** The part of a built net that gradients are inferred from. Blobs are numbers. */
export interface GradientNode {
  readonly bottoms: readonly number[]
  readonly tops: readonly number[]
  readonly lossWeights: readonly number[]
  needsBackward: boolean
  readonly bottomNeedsBackward: boolean[]
}

/**
 * Second half of the inference, backwards through the net: a layer that no loss depends on needs no backward pass, and
 * neither does one all of whose tops are cut off by propagate_down. Works on blob names, as an in-place chain is one
 * name.
 */
export function pruneBackward(nodes: readonly GradientNode[], blobNames: readonly string[]): void {
  const underLoss = new Set<string>()
  const skipped = new Set<string>()
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]
    const contributes = node.tops.some((blob, k) => node.lossWeights[k] !== 0 || underLoss.has(blobNames[blob]))
    const cut = node.tops.every(blob => skipped.has(blobNames[blob]))
    if (node.needsBackward && cut) {
      node.needsBackward = false
      node.bottomNeedsBackward.fill(false)
    }
    if (!contributes) node.needsBackward = false
    node.bottoms.forEach((blob, k) => {
      if (contributes) underLoss.add(blobNames[blob])
      else node.bottomNeedsBackward[k] = false
      if (!node.bottomNeedsBackward[k]) skipped.add(blobNames[blob])
    })
  }
}

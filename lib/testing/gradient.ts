import type { LayerClass } from '../layer.js'
import type { Memory } from '../memory.js'
import { aLimit, aNumber, checkNeeded, type OptionRules, oneOf } from '../system/check_options.js'
import { CheckError, indexIn, placeText } from './errors.js'
import { LayerRig, RIG_RULES, type RigOptions, valuesOf, write } from './rig.js'

/** What `checkGradient` compares, and how closely. */
export interface GradientOptions extends RigOptions {
  /** Distance of the two-sided difference. Default: 0.01. */
  readonly step?: number
  /** |analytic − numeric| may be threshold·max(|analytic|, |numeric|, 1). Default: 0.001. */
  readonly threshold?: number
  /**
   * Values x with kink − kinkRange ≤ |x| ≤ kink + kinkRange are left out: there the function bends. Default: none are.
   */
  readonly kink?: number
  readonly kinkRange?: number
  /**
   * exhaustive (default): every top value with respect to every input. elementwise: the same, and top i may depend on
   * input i alone. projected: one random combination of all top values, for larger shapes.
   */
  readonly mode?: 'exhaustive' | 'elementwise' | 'projected'
}

export const GRADIENT_RULES: OptionRules<GradientOptions> = {
  ...RIG_RULES,
  step: aNumber,
  threshold: aLimit,
  kink: aNumber,
  kinkRange: aNumber,
  mode: oneOf('exhaustive', 'elementwise', 'projected'),
}

/** What a gradient check found. */
export interface GradientReport {
  readonly engine: string
  /** Derivatives that were compared, and inputs left out near a kink. */
  readonly compared: number
  readonly skipped: number
  /** The largest difference, relative to max(|analytic|, |numeric|, 1), and where it was. */
  readonly worst: number
  readonly worstAt: string
}

/** A scalar made of the tops: one value of one top, or a weighted sum of all values. */
interface Objective {
  readonly name: string
  readonly top: number
  readonly value: number
  readonly weights?: readonly Float32Array[]
}

/**
 * Compare a layer's backward pass with two-sided differences of its forward pass. Throws a CheckError at the first
 * difference.
 */
export async function checkGradient(layerClass: LayerClass, options: GradientOptions): Promise<GradientReport> {
  checkNeeded('checkGradient', options, GRADIENT_RULES, ['bottoms'])
  const { step = 1e-2, threshold = 1e-3, kink = 0, kinkRange = -1, mode = 'exhaustive' } = options
  const rig = await LayerRig.create(layerClass, { ...options, engine: options.engine ?? 'js:float64' })
  const report = { engine: rig.engine.name, compared: 0, skipped: 0, worst: 0, worstAt: '' }
  try {
    await rig.forward()
    const objectives = objectivesOf(rig, mode)
    const analytic = await analyticGradients(rig, objectives)
    const parts = rig.checked()
    for (const [p, { name, blob }] of parts.entries()) {
      const values = await valuesOf(blob.memory.data)
      for (let i = 0; i < values.length; i++) {
        if (Math.abs(Math.abs(values[i]) - kink) <= kinkRange) {
          report.skipped++
          continue
        }
        const numeric = await numericSlopes(rig, objectives, blob.memory.data, values, i, step)
        objectives.forEach((objective, k) => {
          const expected = mode === 'elementwise' && objective.value !== i && name.startsWith('bottom') ? 0 : numeric[k]
          const got = analytic[k][p][i]
          const difference = Math.abs(got - expected) / Math.max(Math.abs(got), Math.abs(expected), 1)
          report.compared++
          if (difference <= report.worst) return
          const at = `∂${objective.name} / ∂${name}${placeText(indexIn(blob, i))}`
          Object.assign(report, { worst: difference, worstAt: at })
          if (!(difference <= threshold))
            throw new CheckError(
              rig.layer.type,
              name,
              indexIn(blob, i),
              `layer ${rig.layer.type} on ${rig.engine.name}: ${at} is ${got} by backward, ${expected} by differences of forward ` +
                `(input ${values[i]}, step ${step}); they differ by ${difference.toPrecision(3)}, allowed is ${threshold}`,
            )
        })
      }
    }
    return report
  } finally {
    rig.dispose()
  }
}

function objectivesOf(rig: LayerRig, mode: GradientOptions['mode']): Objective[] {
  if (mode === 'projected') {
    rig.seedTopDiffs()
    return [{ name: 'objective', top: 0, value: -1, weights: rig.top.map(blob => blob.memory.diff.array.slice()) }]
  }
  return rig.top.flatMap((blob, top) =>
    Array.from({ length: blob.count }, (_, value) => ({
      name: `top[${top}]${placeText(indexIn(blob, value))}`,
      top,
      value,
    })),
  )
}

/** gradients[objective][part] of the blobs in rig.checked(). */
async function analyticGradients(rig: LayerRig, objectives: readonly Objective[]): Promise<Float32Array[][]> {
  const gradients: Float32Array[][] = []
  for (const { top, value, weights } of objectives) {
    await rig.forward()
    rig.clearParamDiffs()
    rig.top.forEach((blob, t) => {
      const diff = weights ? weights[t] : new Float32Array(blob.count)
      if (!weights && t === top) diff[value] = 1
      write(blob.memory.diff, diff)
    })
    await rig.backward()
    gradients.push(await Promise.all(rig.checked().map(({ blob }) => valuesOf(blob.memory.diff))))
  }
  return gradients
}

/** ∂objective/∂input[i] for every objective, from a step to either side; the input is left as it was. */
async function numericSlopes(
  rig: LayerRig,
  objectives: readonly Objective[],
  input: Memory,
  values: Float32Array,
  i: number,
  step: number,
): Promise<number[]> {
  const moved = values.slice()
  const at = async (x: number): Promise<Float32Array[]> => {
    moved[i] = x
    write(input, moved)
    await rig.forward()
    return Promise.all(rig.top.map(blob => valuesOf(blob.memory.data)))
  }
  const above = await at(values[i] + step)
  const high = moved[i]
  const below = await at(values[i] - step)
  // single precision rounds the step, so what counts is the distance really taken
  const distance = high - moved[i]
  write(input, values)
  return objectives.map(objective => (evaluate(objective, above) - evaluate(objective, below)) / distance)
}

function evaluate({ top, value, weights }: Objective, tops: readonly Float32Array[]): number {
  if (!weights) return tops[top][value]
  return weights.reduce((total, w, t) => total + w.reduce((sum, weight, j) => sum + weight * tops[t][j], 0), 0)
}

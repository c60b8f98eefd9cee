import { type Blob, shapeText } from '../../blob.js'
import type { Normalization } from '../../engine.js'
import type { LossParameter } from '../../generated/caffe.js'
import { type AtDeploy, type Count, Layer } from '../../layer.js'
import type { Memory } from '../../memory.js'

/**
 * predictions (N, …), labels (N, …) → one value. The net's objective is the sum of all losses times their `loss_weight`
 * (default 1).
 */
export abstract class LossLayer extends Layer {
  static override readonly atDeploy: AtDeploy = 'loss'
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  override readonly automaticTops = true
  override readonly isLoss = true

  override reshape(bottom: Blob[], top: Blob[]): void {
    const [a, b] = bottom
    if (a.numAxes === 0 || b.numAxes === 0 || a.dim(0) !== b.dim(0))
      throw this.error(
        `'${a.name}' (${shapeText(a.shape)}) and '${b.name}' (${shapeText(b.shape)}) must have the same first axis, the batch: give one label or target per item`,
      )
    top[0].reshape([])
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex !== 1
  }

  /** `normalization: PRE_FIXED` (R-FCN): what was summed up, or a gradient of it, by its number. */
  protected divideByFixed(n: number, values: Memory): void {
    const { normalization, pre_fixed_normalizer = 1 } = this.param.loss_param ?? {}
    if (normalization !== 'PRE_FIXED' || pre_fixed_normalizer <= 1) return
    this.kernels.power(n, 1, 1 / pre_fixed_normalizer, 0, values, values)
  }

  /** The shape of a top with one value for each place of `a` (N, C, …), as R-FCN has it: N × 1 × H × W. */
  protected placesOf(a: Blob): number[] {
    if (a.numAxes < 2) throw this.error(`'${a.name}' (${shapeText(a.shape)}) must have a batch axis and channels`)
    return [a.dim(0), 1, ...(a.numAxes === 2 ? [1, 1] : a.shape.slice(2))]
  }

  /** What R-FCN divides the sum over such places by: all of them count as valid, for there are no labels. */
  protected placesNormalizer(a: Blob): number {
    const { normalization, normalize, pre_fixed_normalizer = 1 } = this.param.loss_param ?? {}
    const mode = normalization ?? (normalize === false ? 'BATCH_SIZE' : 'VALID')
    const by = { FULL: a.dim(0) * a.size(2), VALID: a.dim(0) * a.size(2), BATCH_SIZE: a.dim(0), NONE: 1 }
    return Math.max(1, mode === 'PRE_FIXED' ? pre_fixed_normalizer : by[mode])
  }

  /** Labels have no gradient: refuse it for bottom `index`. */
  protected refuseLabelGradient(propagateDown: boolean[], bottom: Blob[], index = 1): void {
    if (propagateDown[index])
      throw this.error(
        `bottom ${index}, '${bottom[index].name}', has no gradient, but something before it wants one: give this layer propagate_down: false for it`,
      )
  }

  /** Labels that are one number per item. */
  protected requireLabelPerItem(bottom: Blob[]): void {
    const [scores, label] = bottom
    if (label.count !== scores.dim(0))
      throw this.error(
        `label '${label.name}' (${shapeText(label.shape)}) must hold ${scores.dim(0)} values, one for each item of '${scores.name}' (${shapeText(scores.shape)})`,
      )
  }
}

/**
 * `loss_param`'s normalization; the deprecated `normalize` counts where normalization is not written. PRE_FIXED is NONE
 * here, and `divideByFixed` does the rest.
 */
export function normalizationOf(param: LossParameter | undefined, otherwise: Normalization): Normalization {
  if (param?.normalization === 'PRE_FIXED') return 'NONE'
  if (param?.normalization !== undefined) return param.normalization
  if (param?.normalize !== undefined) return param.normalize ? 'VALID' : 'BATCH_SIZE'
  return otherwise
}

/**
 * Refuse labels that are no class. Those that only a device has are not looked at, since that would fetch them: their
 * loss is infinite.
 */
export function checkLabels(layer: Layer, label: Blob, classes: number, ignoreLabel: number | undefined): void {
  const values = layer.engine.isHost ? label.dataArray : label.memory.data.hostValues
  if (!values) return
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    // Caffe cuts 0.9 to 0
    const isWhole = Number.isInteger(value)
    if (isWhole && (value === ignoreLabel || (value >= 0 && value < classes))) continue
    const rule = isWhole || Number.isNaN(value) ? 'labels' : 'labels are whole numbers and'
    throw layer.error(`label ${i} of '${label.name}' is ${value}: ${rule} count from 0 to ${classes - 1}`)
  }
}

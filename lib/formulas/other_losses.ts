import type { Memory } from '../memory.js'
import type { ClassLossShape } from './losses.js'

/** Sizes of a contrastive loss over pairs of (N, size). */
export interface ContrastiveShape {
  readonly batch: number
  readonly size: number
  readonly margin: number
  readonly legacy: boolean
}

/** Losses of classes and pairs that few nets have. */
export interface OtherLossKernels {
  /**
   * loss[0] ← Σ max(0, 1 + (j = label ? −x : x)) / N, squared before summing if asked.  x: (N, classes), label: (N).
   */
  hingeLoss(batch: number, classes: number, squared: boolean, x: Memory, label: Memory, loss: Memory): void
  /** dx ← dloss[0]·∂loss/∂x, the derivative at a margin of 0 being 0. */
  hingeLossGradient(
    batch: number,
    classes: number,
    squared: boolean,
    x: Memory,
    label: Memory,
    dloss: Memory,
    dx: Memory,
  ): void
  /** loss[0] ← −Σ log max(p[label], 10⁻²⁰) / N.  p: (N, classes), label: (N). */
  multinomialLogisticLoss(batch: number, classes: number, p: Memory, label: Memory, loss: Memory): void
  /** dp ← −dloss[0] / (N·max(p, 10⁻²⁰)) at the labels, else 0. */
  multinomialLogisticLossGradient(
    batch: number,
    classes: number,
    p: Memory,
    label: Memory,
    dloss: Memory,
    dp: Memory,
  ): void
  /**
   * loss[0] ← −Σ over labels Σₗ H[label,l]·log max(p[l], 10⁻²⁰) / normalizer.  p: (outer, classes, inner), H: (classes,
   * classes).
   */
  infogainLoss(s: ClassLossShape, p: Memory, label: Memory, H: Memory, loss: Memory): void
  /** dx ← (p[l]·Σₖ H[label,k] − H[label,l])·dloss[0] / normalizer, 0 where ignored; p = softmax(x). */
  infogainLossGradient(s: ClassLossShape, p: Memory, label: Memory, H: Memory, dloss: Memory, dx: Memory): void
  /**
   * loss[0] ← −Σ (t·log σ(x) + (1 − t)·log(1 − σ(x))) / normalizer over the t not ignored.  x, t: (outer, inner);
   * classes is not used.
   */
  sigmoidCrossEntropyLoss(s: ClassLossShape, x: Memory, target: Memory, loss: Memory): void
  /** dx ← (σ(x) − t)·dloss[0] / normalizer, 0 where ignored. */
  sigmoidCrossEntropyLossGradient(s: ClassLossShape, x: Memory, target: Memory, dloss: Memory, dx: Memory): void
  /**
   * difference ← a − b, distance ← Σ difference²; loss[0] ← Σ (similar ? distance : max(0, margin − √distance)²) / 2N;
   * legacy: max(0, margin − distance) for the dissimilar.  a, b, difference: (N, size), similar, distance: (N).
   */
  contrastiveLoss(
    s: ContrastiveShape,
    a: Memory,
    b: Memory,
    similar: Memory,
    difference: Memory,
    distance: Memory,
    loss: Memory,
  ): void
  /**
   * dx ← sign·dloss[0]/N·difference·(similar ? 1 : −max(0, margin − √distance) / (√distance + 10⁻⁴)); legacy: −1 for the
   * dissimilar within the margin. sign is 1 for a and −1 for b.
   */
  contrastiveLossGradient(
    s: ContrastiveShape,
    sign: number,
    difference: Memory,
    distance: Memory,
    similar: Memory,
    dloss: Memory,
    dx: Memory,
  ): void
}

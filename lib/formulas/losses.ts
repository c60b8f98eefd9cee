import type { Memory } from '../memory.js'

/** What a loss over classes is divided by: all places, those that are not ignored, the batch size, or nothing. */
export type Normalization = 'FULL' | 'VALID' | 'BATCH_SIZE' | 'NONE'

/** Sizes of a loss over class scores (outer, classes, inner) with labels (outer, inner). */
export interface ClassLossShape {
  readonly outer: number
  readonly classes: number
  readonly inner: number
  readonly ignoreLabel: number | undefined
  readonly normalization: Normalization
}

/** Sizes of an accuracy over class scores (outer, classes, inner) with labels (outer, inner). */
export interface AccuracyShape {
  readonly outer: number
  readonly classes: number
  readonly inner: number
  readonly topK: number
  readonly ignoreLabel: number | undefined
}

/** Sizes of a contrastive loss over pairs of (N, size). */
export interface ContrastiveShape {
  readonly batch: number
  readonly size: number
  readonly margin: number
  readonly legacy: boolean
}

/** Softmax, losses and accuracies. */
export interface LossKernels {
  /** y ← e^(x − max) / Σ over the middle axis of (outer, channels, inner). */
  softmax(outer: number, channels: number, inner: number, x: Memory, y: Memory): void
  /** dx ← y·(dy − Σ y·dy) over the middle axis. */
  softmaxGradient(outer: number, channels: number, inner: number, y: Memory, dy: Memory, dx: Memory): void
  /** loss[0] ← −Σ log max(p[label], FLT_MIN) / normalizer.  p: (outer, classes, inner), label: (outer, inner). */
  softmaxLoss(s: ClassLossShape, p: Memory, label: Memory, loss: Memory): void
  /** losses ← −log max(p[label], FLT_MIN), 0 where ignored.  p: (outer, classes, inner), label, losses: (outer, inner). */
  labelLosses(s: ClassLossShape, p: Memory, label: Memory, losses: Memory): void
  /** dx ← (p − onehot(label))·dloss[0] / normalizer, 0 where ignored. */
  softmaxLossGradient(s: ClassLossShape, p: Memory, label: Memory, dloss: Memory, dx: Memory): void
  /** difference ← a − b; loss[0] ← Σ difference² / (2·batch). */
  euclideanLoss(n: number, batch: number, a: Memory, b: Memory, difference: Memory, loss: Memory): void
  /** dx ← factor·dloss[0]·difference. */
  euclideanLossGradient(n: number, factor: number, difference: Memory, dloss: Memory, dx: Memory): void
  /**
   * accuracy[0] ← share of labels among the topK scores; perClass[c] ← the same per true class, or null. Both are 0
   * where nothing counts. A tie counts against the label, and so does a score that is not a number.
   */
  accuracy(s: AccuracyShape, x: Memory, label: Memory, accuracy: Memory, perClass: Memory | null): void
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

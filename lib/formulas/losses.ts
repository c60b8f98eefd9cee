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
}

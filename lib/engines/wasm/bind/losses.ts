import type { ClassLossShape, LossKernels, Normalization } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { type Bounds, channelwise, count, need, refuse, within } from '../../bounds.js'
import type { ElementwiseExports } from './elementwise.js'
import { bindDirect, type DirectExports } from './kit.js'

/** In the order of kernels/wasm/softmax_loss.ts. */
export const normalizations: readonly Normalization[] = ['FULL', 'VALID', 'BATCH_SIZE', 'NONE']

const direct = ['softmax', 'softmaxGradient', 'euclideanLoss'] as const

/** What the module exports for them. */
export interface LossesExports extends DirectExports<typeof direct> {
  /** `ignore` is NaN if every label counts; `mode` is the index of the normalization. */
  softmaxLoss(
    outer: number,
    classes: number,
    inner: number,
    ignore: number,
    mode: number,
    p: number,
    label: number,
    loss: number,
  ): void
  softmaxLossGradient(
    outer: number,
    classes: number,
    inner: number,
    ignore: number,
    mode: number,
    p: number,
    label: number,
    dloss: number,
    dx: number,
  ): void
  /** `ignore` is NaN if every label counts. */
  labelLosses(
    outer: number,
    classes: number,
    inner: number,
    ignore: number,
    p: number,
    label: number,
    losses: number,
  ): void
  /** `ignore` is NaN if every label counts. */
  accuracy(
    outer: number,
    classes: number,
    inner: number,
    topK: number,
    ignore: number,
    x: number,
    label: number,
    accuracy: number,
    perClass: number,
  ): void
}

/** These kernels of the contract as calls of the module. */
export function bindLosses(wasm: LossesExports & Pick<ElementwiseExports, 'axpby'>) {
  return {
    ...bindDirect(wasm, direct),
    softmaxLoss(s, p, label, loss) {
      const mode = normalizations.indexOf(s.normalization)
      wasm.softmaxLoss(
        s.outer,
        s.classes,
        s.inner,
        s.ignoreLabel ?? Number.NaN,
        mode,
        p.pointer,
        label.pointer,
        loss.pointer,
      )
    },
    softmaxLossGradient(s, p, label, dloss, dx) {
      const mode = normalizations.indexOf(s.normalization)
      const ignore = s.ignoreLabel ?? Number.NaN
      wasm.softmaxLossGradient(
        s.outer,
        s.classes,
        s.inner,
        ignore,
        mode,
        p.pointer,
        label.pointer,
        dloss.array[0],
        dx.pointer,
      )
    },
    euclideanLossGradient(n, factor, difference, dloss, dx) {
      wasm.axpby(n, factor * dloss.array[0], difference.pointer, 0, dx.pointer)
    },
    labelLosses({ outer, classes, inner, ignoreLabel }, p, label, losses) {
      wasm.labelLosses(outer, classes, inner, ignoreLabel ?? Number.NaN, p.pointer, label.pointer, losses.pointer)
    },
    accuracy({ outer, classes, inner, topK, ignoreLabel }, x, label, accuracy, perClass) {
      const ignore = ignoreLabel ?? Number.NaN
      wasm.accuracy(
        outer,
        classes,
        inner,
        topK,
        ignore,
        x.pointer,
        label.pointer,
        accuracy.pointer,
        perClass ? perClass.pointer : 0,
      )
    },
  } satisfies LossKernels
}

/** Scores and gradients hold (outer, classes, inner) values, labels (outer, inner). */
export function scored(
  s: Pick<ClassLossShape, 'outer' | 'classes' | 'inner'>,
  scores: readonly Memory[],
  labels: readonly Memory[],
  single?: Memory,
): void {
  const places = count(s.outer, s.inner)
  const all = count(s.outer, s.classes, s.inner)
  within(places + 2 * s.classes + 4, 'sums')
  for (const memory of scores) need(memory, all)
  for (const memory of labels) need(memory, places)
  need(single, 1)
}

/** What stands before these kernels. */
export const lossesBounds = {
  softmax: channelwise(),
  softmaxGradient: channelwise(),
  softmaxLoss: (s, p, label, loss) => scored(s, [p], [label], loss),
  labelLosses: (s, p, label, losses) => scored(s, [p], [label, losses]),
  softmaxLossGradient: (s, p, label, dloss, dx) => scored(s, [p, dx], [label], dloss),
  euclideanLoss(n, _batch, a, b, difference, loss) {
    need(a, count(n))
    need(b, n)
    need(difference, n)
    need(loss, 1)
  },
  euclideanLossGradient(n, _factor, difference, dloss, dx) {
    need(difference, count(n))
    need(dloss, 1)
    need(dx, n)
  },
  accuracy(s, x, label, accuracy, perClass) {
    if (!(s.classes >= 1)) refuse('it needs at least one class')
    scored(s, [x], [label], accuracy)
    need(perClass, s.classes)
  },
} satisfies Partial<Bounds>

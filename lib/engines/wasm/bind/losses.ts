import type { ClassLossShape, LossKernels, Normalization } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { type Bounds, channelwise, count, need, refuse, within } from '../../bounds.js'
import type { ElementwiseExports } from './elementwise.js'
import { bindDirect, type DirectExports } from './kit.js'

/** In the order of kernels/wasm/softmax_loss.ts. */
const normalizations: readonly Normalization[] = ['FULL', 'VALID', 'BATCH_SIZE', 'NONE']

const direct = ['softmax', 'softmaxGradient', 'euclideanLoss', 'hingeLoss', 'multinomialLogisticLoss'] as const

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
  sigmoidCrossEntropyLoss(
    outer: number,
    inner: number,
    ignore: number,
    mode: number,
    x: number,
    target: number,
    loss: number,
  ): void
  sigmoidCrossEntropyLossGradient(
    outer: number,
    inner: number,
    ignore: number,
    mode: number,
    x: number,
    target: number,
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
  hingeLossGradient(
    batch: number,
    classes: number,
    squared: boolean,
    x: number,
    label: number,
    dloss: number,
    dx: number,
  ): void
  multinomialLogisticLossGradient(
    batch: number,
    classes: number,
    p: number,
    label: number,
    dloss: number,
    dp: number,
  ): void
  infogainLoss(
    outer: number,
    classes: number,
    inner: number,
    ignore: number,
    mode: number,
    p: number,
    label: number,
    H: number,
    loss: number,
  ): void
  infogainLossGradient(
    outer: number,
    classes: number,
    inner: number,
    ignore: number,
    mode: number,
    p: number,
    label: number,
    H: number,
    dloss: number,
    dx: number,
  ): void
  contrastiveLoss(
    batch: number,
    size: number,
    margin: number,
    legacy: boolean,
    a: number,
    b: number,
    similar: number,
    difference: number,
    distance: number,
    loss: number,
  ): void
  /** `alpha` is sign·dloss[0]. */
  contrastiveLossGradient(
    batch: number,
    size: number,
    margin: number,
    legacy: boolean,
    alpha: number,
    difference: number,
    distance: number,
    similar: number,
    dx: number,
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
    sigmoidCrossEntropyLoss(s, x, target, loss) {
      const mode = normalizations.indexOf(s.normalization)
      const ignore = s.ignoreLabel ?? Number.NaN
      wasm.sigmoidCrossEntropyLoss(s.outer, s.inner, ignore, mode, x.pointer, target.pointer, loss.pointer)
    },
    sigmoidCrossEntropyLossGradient(s, x, target, dloss, dx) {
      const mode = normalizations.indexOf(s.normalization)
      const ignore = s.ignoreLabel ?? Number.NaN
      wasm.sigmoidCrossEntropyLossGradient(
        s.outer,
        s.inner,
        ignore,
        mode,
        x.pointer,
        target.pointer,
        dloss.array[0],
        dx.pointer,
      )
    },
    labelLosses({ outer, classes, inner, ignoreLabel }, p, label, losses) {
      wasm.labelLosses(outer, classes, inner, ignoreLabel ?? Number.NaN, p.pointer, label.pointer, losses.pointer)
    },
    hingeLossGradient(batch, classes, squared, x, label, dloss, dx) {
      wasm.hingeLossGradient(batch, classes, squared, x.pointer, label.pointer, dloss.array[0], dx.pointer)
    },
    multinomialLogisticLossGradient(batch, classes, p, label, dloss, dp) {
      wasm.multinomialLogisticLossGradient(batch, classes, p.pointer, label.pointer, dloss.array[0], dp.pointer)
    },
    infogainLoss({ outer, classes, inner, ignoreLabel, normalization }, p, label, H, loss) {
      const mode = normalizations.indexOf(normalization)
      const ignore = ignoreLabel ?? Number.NaN
      wasm.infogainLoss(outer, classes, inner, ignore, mode, p.pointer, label.pointer, H.pointer, loss.pointer)
    },
    infogainLossGradient({ outer, classes, inner, ignoreLabel, normalization }, p, label, H, dloss, dx) {
      const mode = normalizations.indexOf(normalization)
      const ignore = ignoreLabel ?? Number.NaN
      wasm.infogainLossGradient(
        ...([outer, classes, inner, ignore, mode, p.pointer, label.pointer, H.pointer] as const),
        dloss.array[0],
        dx.pointer,
      )
    },
    contrastiveLoss({ batch, size, margin, legacy }, a, b, similar, difference, distance, loss) {
      wasm.contrastiveLoss(
        ...([batch, size, margin, legacy, a.pointer, b.pointer, similar.pointer] as const),
        difference.pointer,
        distance.pointer,
        loss.pointer,
      )
    },
    contrastiveLossGradient({ batch, size, margin, legacy }, sign, difference, distance, similar, dloss, dx) {
      wasm.contrastiveLossGradient(
        ...([batch, size, margin, legacy, sign * dloss.array[0]] as const),
        difference.pointer,
        distance.pointer,
        similar.pointer,
        dx.pointer,
      )
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
  } satisfies Partial<LossKernels>
}

/** Scores and gradients hold (outer, classes, inner) values, labels (outer, inner). */
function scored(
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
  hingeLoss: (batch, classes, _squared, x, label, loss) =>
    scored({ outer: batch, classes, inner: 1 }, [x], [label], loss),
  hingeLossGradient: (batch, classes, _squared, x, label, dloss, dx) =>
    scored({ outer: batch, classes, inner: 1 }, [x, dx], [label], dloss),
  multinomialLogisticLoss: (batch, classes, p, label, loss) =>
    scored({ outer: batch, classes, inner: 1 }, [p], [label], loss),
  multinomialLogisticLossGradient: (batch, classes, p, label, dloss, dp) =>
    scored({ outer: batch, classes, inner: 1 }, [p, dp], [label], dloss),
  infogainLoss(s, p, label, H, loss) {
    scored(s, [p], [label], loss)
    need(H, count(s.classes, s.classes))
  },
  infogainLossGradient(s, p, label, H, dloss, dx) {
    scored(s, [p, dx], [label], dloss)
    need(H, count(s.classes, s.classes))
  },
  sigmoidCrossEntropyLoss: (s, x, target, loss) => scored({ ...s, classes: 1 }, [x], [target], loss),
  sigmoidCrossEntropyLossGradient: (s, x, target, dloss, dx) => scored({ ...s, classes: 1 }, [x, dx], [target], dloss),
  contrastiveLoss({ batch, size }, a, b, similar, difference, distance, loss) {
    const all = count(batch, size)
    need(a, all)
    need(b, all)
    need(similar, batch)
    need(difference, all)
    need(distance, batch)
    need(loss, 1)
  },
  contrastiveLossGradient({ batch, size }, _sign, difference, distance, similar, dloss, dx) {
    const all = count(batch, size)
    need(difference, all)
    need(distance, batch)
    need(similar, batch)
    need(dloss, 1)
    need(dx, all)
  },
  accuracy(s, x, label, accuracy, perClass) {
    if (!(s.classes >= 1)) refuse('it needs at least one class')
    scored(s, [x], [label], accuracy)
    need(perClass, s.classes)
  },
} satisfies Partial<Bounds>

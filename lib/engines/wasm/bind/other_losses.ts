import type { OtherLossKernels } from '../../../engine.js'
import { type Bounds, count, need } from '../../bounds.js'
import { bindDirect, type DirectExports } from './kit.js'
import { normalizations, scored } from './losses.js'

const direct = ['hingeLoss', 'multinomialLogisticLoss'] as const

/** What the module exports for them. */
export interface OtherLossesExports extends DirectExports<typeof direct> {
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
}

/** These kernels of the contract as calls of the module. */
export function bindOtherLosses(wasm: OtherLossesExports) {
  return {
    ...bindDirect(wasm, direct),
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
  } satisfies OtherLossKernels
}

/** What stands before these kernels. */
export const otherLossesBounds = {
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
} satisfies Partial<Bounds>

import type { ChannelKernels } from '../../../engine.js'
import { type Bounds, channelwise, count, each, need } from '../../bounds.js'
import { type AfterExports, fusing } from '../after.js'
import { bindDirect, type DirectExports } from './kit.js'

const direct = [
  'prelu',
  'preluGradient',
  'preluSlopeGradient',
  'scaleGradient',
  'channelStatistics',
  'normalizeChannelsGradient',
] as const

/** What the module exports for them. */
export interface ChannelsExports extends DirectExports<typeof direct> {
  scaleChannels(
    outer: number,
    channels: number,
    inner: number,
    x: number,
    factor: number,
    bias: number,
    y: number,
  ): void
  normalizeChannels(
    batch: number,
    channels: number,
    inner: number,
    x: number,
    mean: number,
    deviation: number,
    y: number,
  ): void
}

/** These kernels of the contract as calls of the module. */
export function bindChannels(wasm: ChannelsExports & AfterExports) {
  const { begin, end } = fusing(wasm)
  return {
    ...bindDirect(wasm, direct),
    scaleChannels(outer, channels, inner, x, factor, bias, y, after) {
      const [px, pf, pb, py] = [x.pointer, factor.pointer, bias ? bias.pointer : 0, y.pointer]
      begin(after)
      try {
        wasm.scaleChannels(outer, channels, inner, px, pf, pb, py)
      } finally {
        end(after)
      }
    },
    normalizeChannels(batch, channels, inner, x, mean, deviation, y, after) {
      const [px, pm, pd, py] = [x.pointer, mean.pointer, deviation.pointer, y.pointer]
      begin(after)
      try {
        wasm.normalizeChannels(batch, channels, inner, px, pm, pd, py)
      } finally {
        end(after)
      }
    },
  } satisfies Partial<ChannelKernels>
}

/** What stands before these kernels. */
export const channelsBounds = {
  prelu: channelwise(1),
  preluGradient: channelwise(1),
  preluSlopeGradient: channelwise(2),
  scaleChannels: channelwise(1, 2),
  scaleGradient: channelwise(2),
  channelStatistics: channelwise(1, 2),
  movingStatistics(channels, meanSum, varianceSum, factor, mean, variance) {
    need(meanSum, count(channels))
    need(varianceSum, channels)
    need(factor, 1)
    need(mean, channels)
    need(variance, channels)
  },
  deviations: each,
  normalizeChannels: channelwise(1, 2),
  normalizeChannelsGradient: channelwise(1, 2),
} satisfies Partial<Bounds>

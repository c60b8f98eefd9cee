import type { Memory } from '../memory.js'
import type { After } from './after.js'

/** Per channel: x, y, dx, dy are (outer, channels, inner); x and y, dy and dx may be the same memory. */
export interface ChannelKernels {
  /** y ← x if x > 0, else slope[c]·x.  slope: (channels). */
  prelu(outer: number, channels: number, inner: number, x: Memory, slope: Memory, y: Memory): void
  /** dx ← dy if x > 0, else slope[c]·dy. */
  preluGradient(outer: number, channels: number, inner: number, x: Memory, slope: Memory, dy: Memory, dx: Memory): void
  /** dslope[c] ← dslope[c] + Σ dy·min(x, 0). */
  preluSlopeGradient(outer: number, channels: number, inner: number, x: Memory, dy: Memory, dslope: Memory): void
  /** y ← after(factor[c]·x + bias[c]).  factor: (channels), bias: (channels) or null. */
  scaleChannels(
    outer: number,
    channels: number,
    inner: number,
    x: Memory,
    factor: Memory,
    bias: Memory | null,
    y: Memory,
    after?: After,
  ): void
  /** dfactor[c] ← dfactor[c] + Σ x·dy. */
  scaleGradient(outer: number, channels: number, inner: number, x: Memory, dy: Memory, dfactor: Memory): void
  /** mean[c] ← mean of x over N and inner, variance[c] ← mean of (x − mean[c])².  x: (N, C, inner). */
  channelStatistics(batch: number, channels: number, inner: number, x: Memory, mean: Memory, variance: Memory): void
  /** mean ← meanSum / factor[0], variance ← varianceSum / factor[0]; 0 where factor[0] is 0.  All (C), factor: (1). */
  movingStatistics(
    channels: number,
    meanSum: Memory,
    varianceSum: Memory,
    factor: Memory,
    mean: Memory,
    variance: Memory,
  ): void
  /** deviation ← √(variance + inside) + outside. */
  deviations(n: number, inside: number, outside: number, variance: Memory, deviation: Memory): void
  /** y ← after((x − mean[c]) / deviation[c]).  x, y: (N, C, inner); y may be x. */
  normalizeChannels(
    batch: number,
    channels: number,
    inner: number,
    x: Memory,
    mean: Memory,
    deviation: Memory,
    y: Memory,
    after?: After,
  ): void
  /**
   * dx ← (dy − mean(dy) − y·mean(dy·y)) / deviation[c], y = (x − mean[c]) / deviation[c], means over N and inner. dx
   * may be dy.
   */
  normalizeChannelsGradient(
    batch: number,
    channels: number,
    inner: number,
    x: Memory,
    mean: Memory,
    deviation: Memory,
    dy: Memory,
    dx: Memory,
  ): void
}

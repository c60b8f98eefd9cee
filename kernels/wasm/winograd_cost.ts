/** When tiles cost less than the plain product. */
import { Convolution } from './convolution_shape'
import { ceilDiv } from './vector'

/** Filters whose 36 points would take too much memory: 86 MB. */
const MOST_FILTERS: f64 = 600000
/** Bytes of a padded plane, of which every thread has some, from which on tiles do not pay. */
const MOST_PLANE: f64 = 268435456
/** Cycles that a filter takes: it becomes 36 values, which pass through memory, or they are read from there. */
const TRANSFORM: f64 = 60
const READ: f64 = 20
/** The same for the system's sgemm, which likes neither few tiles nor waiting. */
const BLAS_READ: f64 = 30

/** Whether the kernel is one that tiles are made for. */
@inline
function isSquare(s: Convolution): bool {
  const plain = s.SH == 1 && s.SW == 1 && s.DH == 1 && s.DW == 1
  const whole = s.OH == s.H + 2 * s.PH - s.KH + 1 && s.OW == s.W + 2 * s.PW - s.KW + 1
  return plain && whole && s.KH == s.KW && (s.KH == 3 || s.KH == 5) && s.PH == s.PW && s.PH < s.KH
}

/** Whether the pass that makes (OH, OW) outputs costs less this way, the transform of the weights included. */
export function pays(s: Convolution, OH: i32, OW: i32, blas: bool): bool {
  // Exactness first: by 5×5 tiles LeNet left Caffe's recorded training run within 50 iterations (parameters off by 12
  // times the
  // tolerance, 0.003 times without them). The limit of 32 channels is a judgement: it keeps LeNet out and larger nets
  // in.
  if (s.KH == 5 && (s.groupC < 32 || s.groupM < 32)) return false
  return costsLess(s, OH, OW, blas, TRANSFORM)
}

/** Whether a forward pass costs less with weights that were transformed before. It is never a part of training. */
export function preparedPays(s: Convolution, blas: bool): bool {
  return costsLess(s, s.OH, s.OW, blas, blas ? BLAS_READ : READ)
}

/**
 * In cycles of a core: a multiply-add costs 1/8, with the system's sgemm 1/24, where the plain pass also copies every
 * patch; a tile has 36 of them for every pair of channels, about 40 cycles for every channel, and its share of 36 calls
 * of sgemm; a filter costs `filter`.
 */
function costsLess(s: Convolution, OH: i32, OW: i32, blas: bool, filter: f64): bool {
  if (!isSquare(s)) return false
  const side = s.KH == 3 ? 4 : 2
  // planes are copied with their padding, as whole tiles
  if (4 * <f64>(OH + 2 * side + 4) * <f64>(OW + 2 * side + 4) > MOST_PLANE) return false
  const pairs = <f64>s.groupC * <f64>s.groupM
  if (pairs * <f64>s.G > MOST_FILTERS) return false
  const tiles = <f64>wholeTiles(s.N * ceilDiv(OH, side) * ceilDiv(OW, side))
  const each: f64 = blas ? 1 / 24.0 : 1 / 8.0
  const sums = <f64>s.taps * <f64>s.N * <f64>s.positions
  const plain = sums * (each * pairs + (blas ? 0.4 * <f64>s.groupC : 0))
  const tile = 36 * each * pairs + 40 * <f64>(s.groupC + s.groupM) + (blas ? 850 : 0)
  return tiles * tile + filter * pairs < 0.8 * plain
}

/** Tiles are taken four at a time. */
@inline
export function wholeTiles(n: i32): i32 {
  return (n + 3) & ~3
}

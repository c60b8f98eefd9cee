/** (shift + scale·x)^p. A small whole p is multiplied out; any other goes through a logarithm. */
import { describe, described, each, Elementwise } from './elementwise'
import { pow } from './log_lanes'
import { madd } from './vector'

/** |exponent| ≤ 127. */
export function power(n: i32, exponent: f32, scale: f32, shift: f32, x: usize, y: usize): void {
  describe(n, x, y, 0, scale, shift, exponent)
  runPower()
}

export function powerGradient(n: i32, exponent: f32, scale: f32, shift: f32, x: usize, dy: usize, dx: usize): void {
  describe(n, x, dx, dy, scale, shift, exponent - 1)
  changetype<PowerFormula>(described()).slope = exponent * scale
  runPower()
}

function runPower(): void {
  const p = described().c
  if (Mathf.abs(p) <= 8 && Mathf.trunc(p) == p) each<WholePower>()
  else each<RealPower>()
}

/** (a·x + b)^c, times slope·dy if the second operand is a dy. */
@unmanaged
class PowerFormula extends Elementwise {
  slope: f32

  @inline
  base(at: usize): v128 {
    return madd(f32x4.splat(this.a), this.first(at), f32x4.splat(this.b))
  }

  @inline
  sloped(at: usize, v: v128): v128 {
    return this.z ? f32x4.mul(f32x4.mul(this.second(at), f32x4.splat(this.slope)), v) : v
  }
}

/** By repeated squaring. */
@unmanaged
class WholePower extends PowerFormula {
  @inline
  of(at: usize): v128 {
    let y = f32x4.splat(1)
    let square = this.base(at)
    for (let k = <i32>Mathf.abs(this.c); k; k >>= 1) {
      if (k & 1) y = f32x4.mul(y, square)
      square = f32x4.mul(square, square)
    }
    return this.sloped(at, this.c < 0 ? f32x4.div(f32x4.splat(1), y) : y)
  }
}

/** Of a negative base, if it is finite, only whole powers exist, and odd ones are negative. */
@unmanaged
class RealPower extends PowerFormula {
  @inline
  of(at: usize): v128 {
    const v = this.base(at)
    const p = this.c
    const fraction = Mathf.trunc(p) != p
    const bits = fraction ? 0x7fc00000 : <i32>p & 1 ? 0x80000000 : 0
    const least: f32 = fraction ? -3.4028234663852886e38 : -Infinity
    const concerned = v128.and(f32x4.lt(v, f32x4.splat(0)), f32x4.ge(v, f32x4.splat(least)))
    return this.sloped(at, v128.or(pow(v, p), v128.and(i32x4.splat(bits), concerned)))
  }
}

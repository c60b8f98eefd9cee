/** Neurons: one formula each. A gradient's x is its first operand, dy its second. */
import { describe, each, eachLight, Elementwise } from './elementwise'
import { exp, expm1OfNegative } from './exp_lanes'
import { log, log1p } from './log_lanes'
import { logistic } from './sigmoid'
import { madd, sign } from './vector'

export function absolute(n: i32, x: usize, y: usize): void {
  describe(n, x, y)
  eachLight<Absolute>()
}
@unmanaged
class Absolute extends Elementwise {
  @inline
  of(at: usize): v128 {
    return f32x4.abs(this.first(at))
  }
}

export function absoluteGradient(n: i32, x: usize, dy: usize, dx: usize): void {
  describe(n, x, dx, dy)
  eachLight<AbsoluteGradient>()
}
@unmanaged
class AbsoluteGradient extends Elementwise {
  @inline
  of(at: usize): v128 {
    return f32x4.mul(this.second(at), sign(this.first(at)))
  }
}

export function bnll(n: i32, x: usize, y: usize): void {
  describe(n, x, y)
  each<BNLL>()
}
@unmanaged
class BNLL extends Elementwise {
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    return f32x4.add(f32x4.max(x, f32x4.splat(0)), log1p(exp(f32x4.neg(f32x4.abs(x)))))
  }
}

export function bnllGradient(n: i32, x: usize, dy: usize, dx: usize): void {
  describe(n, x, dx, dy)
  each<BNLLGradient>()
}
@unmanaged
class BNLLGradient extends Elementwise {
  @inline
  of(at: usize): v128 {
    return f32x4.mul(this.second(at), logistic(this.first(at)))
  }
}

export function clip(n: i32, low: f32, high: f32, x: usize, y: usize): void {
  describe(n, x, y, 0, low, high)
  eachLight<Clip>()
}
@unmanaged
class Clip extends Elementwise {
  @inline
  of(at: usize): v128 {
    return clipped(this.first(at), f32x4.splat(this.a), f32x4.splat(this.b))
  }
}
@inline
export function clipped(x: v128, low: v128, high: v128): v128 {
  return f32x4.max(low, f32x4.min(x, high))
}

export function clipGradient(n: i32, low: f32, high: f32, x: usize, dy: usize, dx: usize): void {
  describe(n, x, dx, dy, low, high)
  eachLight<ClipGradient>()
}
@unmanaged
class ClipGradient extends Elementwise {
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    const inside = v128.and(f32x4.ge(x, f32x4.splat(this.a)), f32x4.le(x, f32x4.splat(this.b)))
    return v128.and(this.second(at), inside)
  }
}

export function elu(n: i32, alpha: f32, x: usize, y: usize): void {
  describe(n, x, y, 0, alpha)
  each<ELU>()
}
@unmanaged
class ELU extends Elementwise {
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    return v128.bitselect(x, f32x4.mul(f32x4.splat(this.a), expm1OfNegative(x)), f32x4.gt(x, f32x4.splat(0)))
  }
}

export function eluGradient(n: i32, alpha: f32, x: usize, dy: usize, dx: usize): void {
  describe(n, x, dx, dy, alpha)
  each<ELUGradient>()
}
@unmanaged
class ELUGradient extends Elementwise {
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    const dy = this.second(at)
    return v128.bitselect(dy, f32x4.mul(f32x4.mul(dy, f32x4.splat(this.a)), exp(x)), f32x4.gt(x, f32x4.splat(0)))
  }
}

export function exponential(n: i32, scale: f32, factor: f32, x: usize, y: usize): void {
  describe(n, x, y, 0, scale, factor)
  each<Exponential>()
}

export function exponentialGradient(n: i32, scale: f32, factor: f32, x: usize, dy: usize, dx: usize): void {
  describe(n, x, dx, dy, scale, factor * scale)
  each<Exponential>()
}

/** b·e^(a·x), times the second operand if there is one. */
@unmanaged
class Exponential extends Elementwise {
  @inline
  of(at: usize): v128 {
    const y = f32x4.mul(f32x4.splat(this.b), exp(f32x4.mul(f32x4.splat(this.a), this.first(at))))
    return this.z ? f32x4.mul(this.second(at), y) : y
  }
}

export function logarithm(n: i32, scale: f32, shift: f32, factor: f32, x: usize, y: usize): void {
  describe(n, x, y, 0, scale, shift, factor)
  each<Logarithm>()
}
@unmanaged
class Logarithm extends Elementwise {
  @inline
  of(at: usize): v128 {
    return f32x4.mul(f32x4.splat(this.c), log(madd(f32x4.splat(this.a), this.first(at), f32x4.splat(this.b))))
  }
}

export function logarithmGradient(n: i32, scale: f32, shift: f32, factor: f32, x: usize, dy: usize, dx: usize): void {
  describe(n, x, dx, dy, scale, shift, factor * scale)
  eachLight<LogarithmGradient>()
}
@unmanaged
class LogarithmGradient extends Elementwise {
  @inline
  of(at: usize): v128 {
    const v = madd(f32x4.splat(this.a), this.first(at), f32x4.splat(this.b))
    return f32x4.div(f32x4.mul(this.second(at), f32x4.splat(this.c)), v)
  }
}

export function swish(n: i32, beta: f32, x: usize, y: usize): void {
  describe(n, x, y, 0, beta)
  each<Swish>()
}
@unmanaged
class Swish extends Elementwise {
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    return f32x4.mul(x, logistic(f32x4.mul(f32x4.splat(this.a), x)))
  }
}

export function swishGradient(n: i32, beta: f32, x: usize, dy: usize, dx: usize): void {
  describe(n, x, dx, dy, beta)
  each<SwishGradient>()
}
@unmanaged
class SwishGradient extends Elementwise {
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    const beta = f32x4.splat(this.a)
    const s = logistic(f32x4.mul(beta, x))
    const steepness = f32x4.mul(s, f32x4.sub(f32x4.splat(1), s))
    return f32x4.mul(this.second(at), madd(f32x4.mul(x, steepness), beta, s))
  }
}

export function hardSigmoid(n: i32, alpha: f32, beta: f32, x: usize, y: usize): void {
  describe(n, x, y, 0, alpha, beta)
  eachLight<HardSigmoid>()
}
@unmanaged
class HardSigmoid extends Elementwise {
  @inline
  of(at: usize): v128 {
    const h = madd(f32x4.splat(this.a), this.first(at), f32x4.splat(this.b))
    return clipped(h, f32x4.splat(0), f32x4.splat(1))
  }
}

/** All bits of the lanes where 0 < h < 1. */
@inline
function between(h: v128): v128 {
  return v128.and(f32x4.gt(h, f32x4.splat(0)), f32x4.lt(h, f32x4.splat(1)))
}

export function hardSigmoidGradient(n: i32, alpha: f32, beta: f32, x: usize, dy: usize, dx: usize): void {
  describe(n, x, dx, dy, alpha, beta)
  eachLight<HardSigmoidGradient>()
}
@unmanaged
class HardSigmoidGradient extends Elementwise {
  @inline
  of(at: usize): v128 {
    const alpha = f32x4.splat(this.a)
    const h = madd(alpha, this.first(at), f32x4.splat(this.b))
    return v128.and(f32x4.mul(this.second(at), alpha), between(h))
  }
}

export function hardSwish(n: i32, alpha: f32, beta: f32, x: usize, y: usize): void {
  describe(n, x, y, 0, alpha, beta)
  eachLight<HardSwish>()
}
@unmanaged
class HardSwish extends Elementwise {
  @inline
  of(at: usize): v128 {
    return hardSwished(this.first(at), f32x4.splat(this.a), f32x4.splat(this.b))
  }
}

/** x·(alpha·x + beta), the second factor between 0 and 1. */
@inline
export function hardSwished(x: v128, alpha: v128, beta: v128): v128 {
  return f32x4.mul(x, clipped(madd(alpha, x, beta), f32x4.splat(0), f32x4.splat(1)))
}

export function hardSwishGradient(n: i32, alpha: f32, beta: f32, x: usize, dy: usize, dx: usize): void {
  describe(n, x, dx, dy, alpha, beta)
  eachLight<HardSwishGradient>()
}
@unmanaged
class HardSwishGradient extends Elementwise {
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    const alpha = f32x4.splat(this.a)
    const h = madd(alpha, x, f32x4.splat(this.b))
    const inside = madd(alpha, x, h)
    const slope = v128.bitselect(inside, clipped(h, f32x4.splat(0), f32x4.splat(1)), between(h))
    return f32x4.mul(this.second(at), slope)
  }
}

export function mish(n: i32, x: usize, y: usize): void {
  describe(n, x, y)
  each<Mish>()
}
@unmanaged
class Mish extends Elementwise {
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    const w = exp(f32x4.min(x, f32x4.splat(20)))
    const q = f32x4.mul(w, f32x4.add(w, f32x4.splat(2)))
    return f32x4.mul(x, f32x4.div(q, f32x4.add(q, f32x4.splat(2))))
  }
}

export function mishGradient(n: i32, x: usize, dy: usize, dx: usize): void {
  describe(n, x, dx, dy)
  each<MishGradient>()
}
@unmanaged
class MishGradient extends Elementwise {
  /** q / (q + 2) + x·4·w·(1 + w) / (q + 2)² with w = eˣ, q = w·(w + 2); from 20 on that is 1. */
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    const w = exp(f32x4.min(x, f32x4.splat(20)))
    const q = f32x4.mul(w, f32x4.add(w, f32x4.splat(2)))
    const whole = f32x4.add(q, f32x4.splat(2))
    const up = f32x4.mul(f32x4.splat(4), f32x4.mul(w, f32x4.add(w, f32x4.splat(1))))
    const slope = f32x4.div(f32x4.div(up, whole), whole)
    return f32x4.mul(this.second(at), madd(x, slope, f32x4.div(q, whole)))
  }
}

export function threshold(n: i32, limit: f32, x: usize, y: usize): void {
  describe(n, x, y, 0, limit)
  eachLight<Threshold>()
}
@unmanaged
class Threshold extends Elementwise {
  @inline
  of(at: usize): v128 {
    return v128.and(f32x4.gt(this.first(at), f32x4.splat(this.a)), f32x4.splat(1))
  }
}

/** Functions of one value by number, and their derivatives; those of angles are not here. */
import { describe, each, eachLight, Elementwise } from './elementwise'
import { exp } from './exp_lanes'
import { bell, errorFunction, normal } from './normal_lanes'
import { logistic } from './sigmoid'
import { madd, sign } from './vector'

/** The order is that of lib/engines/wasm/bind/named.ts. */
const ERF: i32 = 0
const FLOOR: i32 = 1
const CEIL: i32 = 2
const ROUND: i32 = 3
const SOFTSIGN: i32 = 5
const GELU: i32 = 6

export function unary(operation: i32, n: i32, x: usize, y: usize): void {
  describe(n, x, y, 0, <f32>operation)
  if (operation == ERF) each<Erf>()
  else if (operation < SOFTSIGN) eachLight<Steps>()
  else if (operation == SOFTSIGN) eachLight<Softsign>()
  else if (operation == GELU) each<Gelu>()
  else each<GeluTanh>()
}

export function unaryGradient(operation: i32, n: i32, x: usize, dy: usize, dx: usize): void {
  describe(n, x, dx, dy)
  if (operation == ERF) each<ErfGradient>()
  else if (operation < SOFTSIGN) eachLight<Steps>()
  else if (operation == SOFTSIGN) eachLight<SoftsignGradient>()
  else if (operation == GELU) each<GeluGradient>()
  else each<GeluTanhGradient>()
}

@unmanaged
class Erf extends Elementwise {
  @inline
  of(at: usize): v128 {
    return errorFunction(this.first(at))
  }
}
@unmanaged
class ErfGradient extends Elementwise {
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    return f32x4.mul(this.second(at), f32x4.mul(f32x4.splat(1.1283791670955126), exp(f32x4.neg(f32x4.mul(x, x)))))
  }
}
/** FLOOR, CEIL, ROUND or SIGN, whose number is the constant; with a second operand its gradient, which is none. */
@unmanaged
class Steps extends Elementwise {
  @inline
  of(at: usize): v128 {
    if (this.z) return f32x4.mul(this.second(at), f32x4.splat(0))
    const x = this.first(at)
    if (this.a == <f32>FLOOR) return f32x4.floor(x)
    if (this.a == <f32>CEIL) return f32x4.ceil(x)
    return this.a == <f32>ROUND ? f32x4.nearest(x) : sign(x)
  }
}
@unmanaged
class Softsign extends Elementwise {
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    return f32x4.div(x, f32x4.add(f32x4.splat(1), f32x4.abs(x)))
  }
}
@unmanaged
class SoftsignGradient extends Elementwise {
  @inline
  of(at: usize): v128 {
    const d = f32x4.add(f32x4.splat(1), f32x4.abs(this.first(at)))
    return f32x4.div(f32x4.div(this.second(at), d), d)
  }
}
@unmanaged
class Gelu extends Elementwise {
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    return f32x4.mul(x, normal(x, bell(x)))
  }
}
@unmanaged
class GeluGradient extends Elementwise {
  /** Φ(x) + x·φ(x). */
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    const b = bell(x)
    const slope = madd(f32x4.mul(x, f32x4.splat(0.3989422804014327)), b, normal(x, b))
    return f32x4.mul(this.second(at), slope)
  }
}

const RATE: f32 = 0.7978845608028654
const CUBE: f32 = 0.044715

/** √(2/π)·(x + 0.044715·x³), twice: ½·(1 + tanh u) = 1 / (1 + e^(−2u)). */
@inline
function twice(x: v128): v128 {
  const cubic = madd(f32x4.mul(x, x), f32x4.splat(CUBE), f32x4.splat(1))
  return f32x4.mul(f32x4.mul(x, f32x4.splat(2 * RATE)), cubic)
}
@unmanaged
class GeluTanh extends Elementwise {
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    return f32x4.mul(x, logistic(twice(x)))
  }
}
@unmanaged
class GeluTanhGradient extends Elementwise {
  /** s + x·s·(1 − s)·2u′, s = ½·(1 + tanh u). */
  @inline
  of(at: usize): v128 {
    const x = this.first(at)
    const s = logistic(twice(x))
    const steep = madd(f32x4.mul(x, x), f32x4.splat(3 * CUBE * 2 * RATE), f32x4.splat(2 * RATE))
    // where s is 1 or next to 0 nothing is added, however large x is
    const rest = f32x4.mul(f32x4.mul(s, f32x4.sub(f32x4.splat(1), s)), f32x4.mul(x, steep))
    const counts = f32x4.lt(f32x4.abs(x), f32x4.splat(30))
    return f32x4.mul(this.second(at), f32x4.add(s, v128.and(rest, counts)))
  }
}

/** Values of the error function between which it is continued, and how far apart they are. */
const STEP = 1 / 64
const END = 6
/** √(4/π): the slope at 0. */
const SLOPE = 2 / Math.sqrt(Math.PI)

let table: Float64Array | undefined

/** ∫₀ˣ (4/π)^½ e^(−t²) dt, to about 1e-11. */
export function erf(x: number): number {
  const size = Math.abs(x)
  if (size >= END) return Math.sign(x)
  // NaN stays NaN
  if (!(size < END)) return x
  table ??= tabled()
  const place = Math.round(size / STEP)
  const a = place * STEP
  const h = size - a
  // the Taylor series around a: every derivative is a polynomial times e^(−a²)
  const series = h * (1 - h * (a - h * ((4 * a * a - 2) / 6 - (h * (8 * a * a * a - 12 * a)) / 24)))
  const value = table[place] + SLOPE * Math.exp(-a * a) * series
  return x < 0 ? -value : value
}

/** The derivative of erf. */
export const erfSlope = (x: number): number => SLOPE * Math.exp(-x * x)

/** erf at multiples of STEP, by Simpson's rule on parts so fine that it is exact to 1e-15. */
function tabled(): Float64Array {
  const values = new Float64Array(END / STEP + 1)
  const parts = 8
  for (let place = 1; place < values.length; place++) {
    const h = STEP / (2 * parts)
    let sum = 0
    for (let i = 0; i <= 2 * parts; i++) {
      const weight = i === 0 || i === 2 * parts ? 1 : i % 2 ? 4 : 2
      sum += weight * erfSlope((place - 1) * STEP + i * h)
    }
    values[place] = values[place - 1] + (sum * h) / 3
  }
  return values
}

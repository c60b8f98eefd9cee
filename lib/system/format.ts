/** A number as C++ streams and Caffe's logs print it: six significant digits, `1e-05` for small ones. */
export function g6(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const rounded = sixDigits(value)
  const exponent = Math.floor(Math.log10(Math.abs(rounded)))
  if (exponent >= -5 && exponent < 6) return exponent === -5 ? exponential(rounded) : String(rounded)
  return exponential(rounded)
}

/** An exact tie goes to the even digit, as in C; toPrecision goes away from zero. */
function sixDigits(value: number): number {
  const [mantissa, exponent = '0'] = value.toExponential(50).split('e')
  if (!/^-?\d\.\d{4}[02468]50*$/.test(mantissa)) return Number(value.toPrecision(6))
  return Number(`${mantissa.slice(0, mantissa.indexOf('.') + 6)}e${exponent}`)
}

function exponential(value: number): string {
  const [mantissa, exponent] = value.toExponential().split('e')
  const digits = exponent.slice(1).padStart(2, '0')
  return `${mantissa}e${exponent[0]}${digits}`
}

/** The shortest decimal number that rounds to the same float32 as `value`: 0.1, not 0.10000000149. */
export function shortFloat(value: number): number {
  const float = Math.fround(value)
  if (float === 0 || !Number.isFinite(float)) return float
  // six digits are always exact enough to be kept, except in subnormal numbers
  for (let digits = Math.abs(float) < 2 ** -126 ? 1 : 6; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits))
    if (Math.fround(short) === float) return short
  }
  return Number(float.toPrecision(9))
}

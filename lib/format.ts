/** A number as C++ streams and Caffe's logs print it: six significant digits, `1e-05` for small ones. */
export function g6(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  if (value === 0) return '0'
  const rounded = Number(value.toPrecision(6))
  const exponent = Math.floor(Math.log10(Math.abs(rounded)))
  if (exponent >= -5 && exponent < 6) return exponent === -5 ? exponential(rounded) : String(rounded)
  return exponential(rounded)
}

function exponential(value: number): string {
  const [mantissa, exponent] = value.toExponential().split('e')
  const digits = exponent.slice(1).padStart(2, '0')
  return `${mantissa}e${exponent[0]}${digits}`
}

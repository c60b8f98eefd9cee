/** float32 from halves: numbers of a sign, five bits of exponent and ten of fraction. */
export function fromHalves(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length)
  const bits = new Uint32Array(values.buffer)
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]
    const sign = (half & 0x8000) << 16
    const exponent = (half >> 10) & 31
    // below the smallest normal number the fraction counts steps of 2^-24
    if (exponent === 0) values[i] = (sign ? -1 : 1) * (half & 0x3ff) * 2 ** -24
    else bits[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | ((half & 0x3ff) << 13)
  }
  return values
}

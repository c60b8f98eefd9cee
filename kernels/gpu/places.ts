import type { ConvolutionShape } from '../../lib/engine.js'

// Pieces of kernel source for any number of spatial axes.

/** Tensor of a block. */
export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)

/** Statements that split the flat place `flat` of a plane into one place per axis, named prefix + axis. */
export function places(prefix: string, flat: string, sizes: readonly number[]): string {
  const lines: string[] = []
  let rest = flat
  for (let a = 0; a < sizes.length; a++) {
    const inner = product(sizes.slice(a + 1))
    if (inner === 1) {
      lines.push(`const ${prefix}${a} = ${rest};`)
      for (let b = a + 1; b < sizes.length; b++) lines.push(`const ${prefix}${b} = 0;`)
      break
    }
    lines.push(`const ${prefix}${a} = Math.floor((${rest} + 0.5) / ${inner});`)
    if (a + 1 < sizes.length) {
      lines.push(`const ${prefix}rest${a} = ${rest} - ${prefix}${a} * ${inner};`)
      rest = `${prefix}rest${a}`
    }
  }
  return lines.join(' ')
}

/** The flat place of one place per axis. */
export const flatPlace = (prefix: string, sizes: readonly number[]): string =>
  sizes
    .map((_, a) =>
      product(sizes.slice(a + 1)) === 1 ? `${prefix}${a}` : `${prefix}${a} * ${product(sizes.slice(a + 1))}`,
    )
    .join(' + ')

/** Statements that store the rows of a thread besides the one that it returns; a row is its values as a list. */
export const storedRows = (rows: readonly string[]): string =>
  rows
    .slice(1)
    .map((row, q) => `storeRow(${q + 1}, ${row});`)
    .join(' ')

/** Whether a window has more taps than outputs: a place is then reached sooner from these. */
export const manyTaps = (s: ConvolutionShape): boolean => product(s.kernel) > product(s.output)

/** `body` for every output o_a whose window meets the place i_a, with the tap k_a that meets it. */
export function eachOutput(s: ConvolutionShape, body: string): string {
  const open = s.output.map((size, a) => {
    const reached = `const r${a} = i${a} + ${s.pad[a]} - o${a} * ${s.stride[a]};`
    const d = s.dilation[a]
    const tap = d === 1 ? `const k${a} = r${a};` : `const k${a} = Math.floor((r${a} + 0.5) / ${d});`
    const inside = `r${a} >= 0 && k${a} < ${s.kernel[a]}${d === 1 ? '' : ` && k${a} * ${d} === r${a}`}`
    return `for (let o${a} = 0; o${a} < ${size}; o${a}++) { ${reached} ${tap} if (${inside}) {`
  })
  return `${open.join(' ')} ${body} ${open.map(() => '} }').join(' ')}`
}

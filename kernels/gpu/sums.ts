import type { Argument, Gpu, HandleView } from '../../lib/engines/gpu/gpu.js'
import type { Handle } from '../../lib/engines/gpu/queue.js'
import { type Constants, type Dims, type GpuKernel, generatedKernel, type View } from '../../lib/gpu_kernel.js'

// A sum of n single-precision values is off by up to n roundings, and stands still where it is 2²⁴ times a term. So no
// thread adds up more than some thousands: longer sums are made of parts, and the parts are added up in turn.

/** Terms that are added up one after the other; more become parts. */
const MOST_TERMS = 1024

/** Terms from which a sum is made of parts. */
export const LONG_SUM = 2 * MOST_TERMS

/** Most parts: threads along one axis. */
const MOST_PARTS = 65535

/** n terms as `parts` parts of `step`, the last one of `last`. */
export function shares(n: number): { step: number; parts: number; last: number } {
  if (n <= LONG_SUM) return { step: n, parts: 1, last: n }
  const step = Math.max(Math.min(MOST_TERMS, Math.ceil(Math.sqrt(n))), Math.ceil(n / MOST_PARTS))
  const parts = Math.ceil(n / step)
  return { step, parts, last: n - (parts - 1) * step }
}

/** Constants for a sum over n that one thread makes of `blocks` blocks of `step`; the last may reach past n. */
export function blocksOf(n: number): { blocks: number; step: number } {
  const blocks = Math.max(1, Math.ceil(n / MOST_TERMS))
  return { blocks, step: Math.ceil(n / blocks) }
}

/**
 * A loop over `counter` = 0 … n − 1, of `terms` terms each, that adds up in blocks if there are many: `begin` starts the
 * sum of a block, and `end` adds it to the whole.
 */
export function inBlocks(counter: string, n: number, terms: number, begin: string, body: string, end: string): string {
  const step = Math.max(1, Math.floor(MOST_TERMS / terms))
  if (n <= step) return `${begin} for (let ${counter} = 0; ${counter} < ${n}; ${counter}++) { ${body} } ${end}`
  const guarded = n % step ? `if (${counter} < ${n}) { ${body} }` : body
  return `for (let block = 0; block < ${Math.ceil(n / step)}; block++) {
    ${begin}
    for (let inside = 0; inside < ${step}; inside++) { const ${counter} = block * ${step} + inside; ${guarded} }
    ${end}
  }`
}

/** Statements that make `name` of the terms of a part, which `thread` counts: it starts as `begin`, and `body` is for term `from + j`. */
export function overPart(
  { step, parts, last }: Constants,
  thread: string,
  name: string,
  begin: string,
  body: string,
): string {
  const from = parts > 1 ? `const from = ${thread} * ${step};` : 'const from = 0;'
  const guarded = parts > 1 && last < step ? `if (${thread} < ${parts - 1} || j < ${last}) { ${body} }` : body
  return `${from} let ${name} = ${begin}; for (let j = 0; j < ${step}; j++) { ${guarded} }`
}

/**
 * A kernel for `rowSums`: Σᵢ of a term, which `term` writes for the place `[n][c][i]` in tensors (N, C, I); times
 * `factor`, if that is one of the arguments.
 */
export function rowSum(name: string, args: readonly string[], term: (at: string) => string): GpuKernel {
  const factor = args.includes('factor') ? 'factor * ' : ''
  return generatedKernel(name, constants => {
    const [c, n] = constants.parts > 1 ? ['y', 'z'] : ['x', 'y']
    return `function (${args.join(', ')}) {
      const c = this.thread.${c}; const n = this.thread.${n};
      ${overPart(constants, 'this.thread.x', 'sum', '0', `sum += ${term('[n][c][from + j]')};`)}
      return ${factor}sum
    }`
  })
}

const values = rowSum('sum of parts', ['x'], at => `x${at}`)

/** Σᵢ of a term of tensors (N, C, I) as a new handle (N, C). */
export function rowSums(
  gpu: Gpu,
  kernel: GpuKernel,
  args: readonly (Argument | number)[],
  [inner, channels, batch]: Dims,
): Handle {
  const split = shares(inner)
  if (split.parts === 1) return gpu.compute(kernel, args, [channels, batch, 1], split)
  const dims = [split.parts, channels, batch] as const
  const parts = gpu.compute(kernel, args, dims, split)
  const sums = rowSums(gpu, values, [{ handle: parts, dims }], dims)
  gpu.release(parts)
  return sums
}

const columns = generatedKernel(
  'sum of rows',
  constants => `function (x, factor) {
    ${overPart(constants, 'this.thread.y', 'sum', '0', 'sum += x[this.thread.z][from + j][this.thread.x];')}
    return factor * sum
  }`,
)

/** factor·Σᵣ x[o,r,i] of a tensor (O, R, I) as a new handle (O, I). */
export function columnSums(gpu: Gpu, x: View | HandleView, factor = 1): Handle {
  const [inner, rows, outer] = x.dims
  const split = shares(rows)
  const dims = [inner, split.parts, outer] as const
  const parts = gpu.compute(columns, [x, factor], dims, split)
  if (split.parts === 1) return parts
  const sums = columnSums(gpu, { handle: parts, dims })
  gpu.release(parts)
  return sums
}

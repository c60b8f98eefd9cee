import { type Dims, type GpuKernel, generatedKernel } from '../../lib/gpu_kernel.js'
import { flatPlace, places, product, storedRows } from './places.js'
import { inBlocks, LONG_SUM } from './sums.js'

// Sums over a window that moves, four neighbouring places a thread: along a row they share what they read. What is read
// lies in rows without
// padding to check for: a kernel of its own puts the padding there. Tensors are (N, C, plane); the last axis is the one
// along a row.

/** Places along a row that a thread computes. */
export const WIDE = 4

/** Channels that it computes, where the device can and enough threads remain. */
export const TALL = 4

/** Threads below which it computes one. */
export const FEWEST_THREADS = 256

/** Taps along a row that are written out; wider windows do not go this way. */
export const WIDEST_ROW = 16

/**
 * y[n,q,o] = Σ over r and k of weight(q, r, k) · x[n, r, o·stride + k·dilation − pad], r and q being channels of the
 * same group.
 */
export interface Correlation {
  readonly batch: number
  readonly group: number
  /** Channels of x and of y in a group. */
  readonly reduced: number
  readonly produced: number
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly pad: readonly number[]
  readonly dilation: readonly number[]
}

const last = (sizes: readonly number[]): number => sizes[sizes.length - 1]
const others = (sizes: readonly number[]): number[] => sizes.slice(0, -1)
export const groupsOfFour = (n: number): number => Math.ceil(n / WIDE)

/** Window sums of one place of the window are sums over the plane: one long row. */
export function inRows(s: Correlation): Correlation {
  const plain = s.kernel.every((k, a) => k === 1 && s.stride[a] === 1 && s.pad[a] === 0)
  if (!plain) return s
  const plane = [product(s.input)]
  return { ...s, input: plane, output: plane, kernel: [1], stride: [1], pad: [0], dilation: [1] }
}

/** Sizes of a plane with its padding, for `columns` places and `taps` along a row. */
export function paddedSizes(s: Correlation, columns: number, taps: number): number[] {
  const reach = (a: number, o: number, k: number) => (o - 1) * s.stride[a] + (k - 1) * s.dilation[a] + 1
  const row = s.input.length - 1
  return s.input.map((_, a) => (a === row ? reach(a, columns, taps) : reach(a, s.output[a], s.kernel[a])))
}

/** Whether x can be read as it is: nothing is padded, and no row ends before its last four places. */
export const needsNoPadding = (s: Correlation, sizes: readonly number[]): boolean =>
  s.pad.every(p => p === 0) && last(sizes) <= last(s.input)

/** x with the padding, in planes of `sizes`. */
export function paddedSource(s: Correlation, sizes: readonly number[]): string {
  const inside = sizes.map((size, a) => [
    ...(s.pad[a] > 0 ? [`i${a} >= 0`] : []),
    ...(size - s.pad[a] > s.input[a] ? [`i${a} < ${s.input[a]}`] : []),
  ])
  return `function (x) {
    ${places('p', 'this.thread.x', sizes)}
    ${sizes.map((_, a) => `const i${a} = p${a} - ${s.pad[a]};`).join(' ')}
    let value = 0;
    if (${inside.flat().join(' && ') || 'true'}) { value = x[this.thread.z][this.thread.y][${flatPlace('i', s.input)}]; }
    return value
  }`
}

/** `for` loops over `sizes`, their variables named prefix + axis, around `body`. */
const loops = (prefix: string, sizes: readonly number[], body: string): string =>
  sizes.map((size, a) => `for (let ${prefix}${a} = 0; ${prefix}${a} < ${size}; ${prefix}${a}++) {`).join(' ') +
  body +
  '}'.repeat(sizes.length)

/** Where the rows of a padded plane begin for the places prefix0, prefix1, … of all axes but the last, `by` apart. */
const rowStart = (prefix: string, by: readonly number[], sizes: readonly number[]): string =>
  others(sizes)
    .map((_, a) => `${prefix}${a} * ${by[a] * product(sizes.slice(a + 1))}`)
    .join(' + ') || '0'

export const numbersTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/**
 * y in rows of whole fours, `height` channels a thread; `weight` is what the window holds for channel c of x, a channel
 * m of y (which is number q in its group g) and tap k.
 */
export function correlationSource(
  s: Correlation,
  plane: readonly number[],
  weight: Weight,
  height: number,
  biased: boolean,
): string {
  const [taps, stride, dilation] = [last(s.kernel), last(s.stride), last(s.dilation)]
  const tiles = groupsOfFour(last(s.output))
  const [columns, rows] = [numbersTo(WIDE), numbersTo(height)]
  const channels = s.group * s.produced
  // a short row is little to do in a round of the loop over channels
  const rounds = taps > 2 ? 1 : ([4, 2].find(n => s.reduced % n === 0) ?? 1)
  const offsets = new Set(columns.flatMap(j => numbersTo(taps).map(k => j * stride + k * dilation)))
  const several = others(s.kernel).length > 0
  // a long sum is made of parts: see sums.ts
  const inParts = s.reduced * product(s.kernel) > LONG_SUM
  const sum = inParts ? 'p' : 's'
  const row = (u: number) => {
    const channel = rounds === 1 ? 'c' : `c * ${rounds} + ${u}`
    const lines = [...offsets].map(o => `const x${o} = x[this.thread.z][first + ${channel}][from + ${o}];`)
    for (let k = 0; k < taps; k++)
      for (const q of rows) {
        lines.push(`const w${k}n${q} = ${weight(channel, `m${q}`, `q${q}`, several ? `tap + ${k}` : String(k))};`)
        for (const j of columns) lines.push(`${sum}${q}${j} += x${j * stride + k * dilation} * w${k}n${q};`)
      }
    return `{ ${lines.join('\n')} }`
  }
  const body = `const from = at + ${rowStart('k', s.dilation, plane)};
    ${several ? `const tap = (${flatPlace('k', others(s.kernel))}) * ${taps};` : ''}
    ${numbersTo(rounds).map(row).join('\n')}`
  const results = rows.map(q => columns.map(j => `s${q}${j}`).join(', '))
  const each = (line: (at: string) => string) => rows.flatMap(q => columns.map(j => line(`${q}${j}`))).join(' ')
  const [parts, added] = inParts ? [each(at => `let p${at} = 0;`), each(at => `s${at} += p${at};`)] : ['', '']
  const taken = loops('k', others(s.kernel), body)
  const channelLoop = inParts
    ? inBlocks('c', s.reduced / rounds, rounds * product(s.kernel), parts, taken, added)
    : `for (let c = 0; c < ${s.reduced / rounds}; c++) { ${taken} }`
  // past the last channel it is computed again
  const channel = (q: number) => (channels % height ? `Math.min(top + ${q}, ${channels - 1})` : `top + ${q}`)
  return `function (x, w${biased ? ', bias' : ''}) {
    const row = Math.floor((this.thread.x + 0.5) / ${tiles});
    const tile = this.thread.x - row * ${tiles};
    ${several ? places('o', 'row', others(s.output)) : ''}
    const at = ${rowStart('o', s.stride, plane)} + tile * ${WIDE * stride};
    const top = this.thread.y * ${height};
    const g = ${s.group === 1 ? '0' : `Math.floor((top + 0.5) / ${s.produced})`};
    const first = g * ${s.reduced};
    ${rows.map(q => `const m${q} = ${channel(q)}; const q${q} = m${q} - g * ${s.produced};`).join(' ')}
    ${rows.map(q => columns.map(j => `let s${q}${j} = ${biased ? `bias[0][0][m${q}]` : '0'};`).join(' ')).join('\n')}
    ${channelLoop}
    ${storedRows(results)}
    return [${results[0]}]
  }`
}

/** What of rows of whole fours is y. */
export function unpackedSource(s: Correlation): string {
  const columns = last(s.output)
  return `function (y) {
    const row = Math.floor((this.thread.x + 0.5) / ${columns});
    return y[this.thread.z][this.thread.y][this.thread.x + row * ${WIDE * groupsOfFour(columns) - columns}]
  }`
}

/** A correlation's kernels and sizes. */
export interface CorrelationKernels {
  readonly inputDims: Dims
  /** Undefined where x can be read as it is. */
  readonly padded: GpuKernel | undefined
  readonly paddedDims: Dims
  readonly sums: GpuKernel
  readonly sumsBiased: GpuKernel
  readonly sumsDims: Dims
  /** Undefined where rows are whole fours. */
  readonly unpacked: GpuKernel | undefined
  readonly dims: Dims
}

/**
 * Source of the weight for channel `c` of x, channel `m` of y, which is number `q` of its group `g`, and tap `k`;
 * `first` is g's first of x.
 */
export type Weight = (c: string, m: string, q: string, k: string) => string

/** Rows for a thread, with so many threads if it computes one. */
export function rowsOf(mostRows: number, s: Correlation, threads: Dims): number {
  const [x, y, z] = threads
  const fits = s.group === 1 || s.produced % TALL === 0
  return mostRows >= TALL && fits && y >= TALL && x * Math.ceil(y / TALL) * z >= FEWEST_THREADS ? TALL : 1
}

/** Undefined for a shape that is better off with one place a thread. */
export function correlationKernels(
  name: string,
  given: Correlation,
  weight: Weight,
  mostRows: number,
): CorrelationKernels | undefined {
  const s = inRows(given)
  const columns = last(s.output)
  if (columns < 3 || last(s.kernel) > WIDEST_ROW) return undefined
  const tiles = groupsOfFour(columns)
  const needed = paddedSizes(s, tiles * WIDE, last(s.kernel))
  const asItIs = needsNoPadding(s, needed)
  const plane = asItIs ? s.input : needed
  const [rows, channels] = [tiles * product(others(s.output)), s.group * s.produced]
  const height = rowsOf(mostRows, s, [rows, channels, s.batch])
  return {
    inputDims: [product(s.input), s.group * s.reduced, s.batch],
    padded: asItIs ? undefined : generatedKernel(`${name}, padding`, () => paddedSource(s, plane)),
    paddedDims: [product(plane), s.group * s.reduced, s.batch],
    sums: generatedKernel(name, () => correlationSource(s, plane, weight, height, false), WIDE, height),
    sumsBiased: generatedKernel(name, () => correlationSource(s, plane, weight, height, true), WIDE, height),
    sumsDims: [WIDE * rows, channels, s.batch],
    unpacked: columns % WIDE ? generatedKernel(`${name}, rows`, () => unpackedSource(s)) : undefined,
    dims: [product(s.output), channels, s.batch],
  }
}

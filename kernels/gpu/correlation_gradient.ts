import { type Dims, type GpuKernel, generatedKernel } from '../../lib/gpu_kernel.js'
import {
  type Correlation,
  groupsOfFour,
  inRows,
  needsNoPadding,
  numbersTo,
  paddedSizes,
  paddedSource,
  rowsOf,
  WIDE,
  WIDEST_ROW,
} from './correlation.js'
import { flatPlace, places, product, storedRows } from './places.js'

// The gradient of a correlation for its weights: dw[q,r,k] = Σ over n and o of dy[n,q,o] · x[n, r, o·stride +
// k·dilation − pad].

/** Threads that are wanted at least: fewer, and the sum is made in parts. */
const WANTED_THREADS = 32768

/** Terms that one of them adds up at most. */
const MOST_TERMS = 8192

/** Places of a row that are written out. */
const MOST_PLACES = 16

/** What a thread's four neighbours are: taps along a row, or channels of x. */
type Lanes = 'taps' | 'channels'

export interface WeightGradientKernels {
  readonly inputDims: Dims
  readonly padded: GpuKernel | undefined
  readonly paddedDims: Dims
  readonly outputDims: Dims
  /** Parts of the sum, and their sum in the order of the weights. */
  readonly parts: GpuKernel
  readonly partsDims: Dims
  readonly total: GpuKernel
  readonly totalDims: Dims
}

interface Plan {
  readonly s: Correlation
  readonly lanes: Lanes
  /** Channels of y that a thread computes. */
  readonly height: number
  /** Sizes of a plane of x as it is read. */
  readonly plane: readonly number[]
  /** Images and, along the first axis, places that a part goes over. */
  readonly images: number
  readonly lines: number
  readonly imageParts: number
  readonly lineParts: number
}

const last = (sizes: readonly number[]): number => sizes[sizes.length - 1]
const others = (sizes: readonly number[]): number[] => sizes.slice(0, -1)

/** Threads along x, y (channels of y) and z for one part, with one row a thread. */
function threadsFor(s: Correlation, lanes: Lanes): Dims {
  const channels = s.group * s.produced
  if (lanes === 'taps') return [groupsOfFour(last(s.kernel)) * product(others(s.kernel)), channels, s.reduced]
  return [product(s.kernel) * groupsOfFour(s.reduced), channels, 1]
}

function plan(given: Correlation, mostRows: number): Plan | undefined {
  // as one row where it is not too long a sum
  const s = product(given.output) > MOST_TERMS ? given : inRows(given)
  if (last(s.output) > MOST_TERMS) return undefined
  if (last(s.kernel) > WIDEST_ROW) return undefined
  const lanes = last(s.kernel) < 3 ? 'channels' : 'taps'
  const taps = lanes === 'taps' ? WIDE * groupsOfFour(last(s.kernel)) : last(s.kernel)
  const needed = paddedSizes(s, last(s.output), taps)
  const threads = threadsFor(s, lanes)
  // enough threads, and none with a long sum: see sums.ts
  const wanted = Math.ceil(Math.max(WANTED_THREADS / product(threads), (s.batch * product(s.output)) / MOST_TERMS))
  const images = Math.ceil(s.batch / Math.min(s.batch, wanted))
  const imageParts = Math.ceil(s.batch / images)
  // where there are too few images the lines are shared out as well
  const all = s.output.length > 1 ? s.output[0] : 1
  const lines = Math.ceil(all / Math.min(all, Math.ceil(wanted / imageParts)))
  const lineParts = Math.ceil(all / lines)
  const height = rowsOf(mostRows, s, [threads[0], threads[1], threads[2] * imageParts * lineParts])
  const plane = needsNoPadding(s, needed) ? s.input : needed
  return { s, lanes, height, plane, images, lines, imageParts, lineParts }
}

/** Sums over n places of a row from `from` and `out` on: each value is read once. */
function placesSource({ s, lanes, height }: Plan, n: number): string {
  const [stride, dilation] = [last(s.stride), last(s.dilation)]
  const lines: string[] = []
  const read = new Set<string>()
  /** The name of what lies at the offset `at` in channel `c`. */
  const x = (at: number, c: string) => {
    const name = `x${at}${c}`
    if (!read.has(name)) lines.push(`const ${name} = x[n][${c}][from + ${at}];`)
    read.add(name)
    return name
  }
  for (let o = 0; o < n; o++) {
    const factors = numbersTo(WIDE).map(j =>
      lanes === 'taps' ? x(o * stride + j * dilation, 'c0') : x(o * stride, `c${j}`),
    )
    for (let q = 0; q < height; q++) {
      lines.push(`const d${o}n${q} = dy[n][m${q}][out + ${o}];`)
      factors.forEach((factor, j) => {
        lines.push(`s${q}${j} += d${o}n${q} * ${factor};`)
      })
    }
  }
  return lines.join('\n')
}

/** Part p of the sums; thread.z = p·C + c, or p where a thread computes several channels of x. */
function partsSource(p: Plan): string {
  const { s, lanes, height, plane } = p
  const [columns, stride] = [last(s.output), last(s.stride)]
  const channels = s.group * s.produced
  const [perPart, groups] = lanes === 'taps' ? [s.reduced, groupsOfFour(last(s.kernel))] : [1, groupsOfFour(s.reduced)]
  const axes = others(s.output).length
  const start = (prefix: string, by: readonly number[]) =>
    numbersTo(axes)
      .map(a => ` + ${prefix}${a} * ${by[a] * product(plane.slice(a + 1))}`)
      .join('')
  // written out in pieces, and what remains of the row
  const piece = columns <= MOST_PLACES ? columns : Math.floor(columns / Math.ceil(columns / MOST_PLACES))
  const pieces = Math.floor(columns / piece)
  const rest = columns % piece
  const block = (at: string, n: number) =>
    `{ const from = row + ${at} * ${stride}; const out = line + ${at}; ${placesSource(p, n)} }`
  const body = `
    const row = at${start('o', s.stride)};
    const line = ${axes ? `(${flatPlace('o', others(s.output))}) * ${columns}` : '0'};
    ${pieces === 1 ? block('0', piece) : `for (let b = 0; b < ${pieces}; b++) ${block(`b * ${piece}`, piece)}`}
    ${rest ? block(String(pieces * piece), rest) : ''}`
  const inner = numbersTo(Math.max(0, axes - 1)).map(
    i => `for (let o${i + 1} = 0; o${i + 1} < ${s.output[i + 1]}; o${i + 1}++) {`,
  )
  const lineGuard = axes && s.output[0] % p.lines ? `if (o0 < ${s.output[0]}) {` : '{'
  const line = p.lineParts > 1 ? `partLine * ${p.lines} + l` : 'l'
  const lines = axes
    ? `for (let l = 0; l < ${p.lines}; l++) { const o0 = ${line}; ${lineGuard} ${inner.join(' ')} ${body} ${'}'.repeat(inner.length)} } }`
    : body
  const imageGuard = s.batch % p.images ? `if (n < ${s.batch}) {` : '{'
  // past the last channel it is computed again
  const upTo = (place: string, size: number, step: number) => (size % step ? `Math.min(${place}, ${size - 1})` : place)
  const rows = numbersTo(height)
  const xChannels =
    lanes === 'taps'
      ? `const c0 = first + this.thread.z - part * ${perPart};`
      : numbersTo(WIDE).map(j => `const c${j} = first + ${upTo(`lane * ${WIDE} + ${j}`, s.reduced, WIDE)};`)
  const tapRow = lanes === 'taps' ? 'kk' : `kRow`
  const results = rows.map(q =>
    numbersTo(WIDE)
      .map(j => `s${q}${j}`)
      .join(', '),
  )
  return `function (x, dy) {
    const part = Math.floor((this.thread.z + 0.5) / ${perPart});
    const partImage = Math.floor((part + 0.5) / ${p.lineParts});
    const partLine = part - partImage * ${p.lineParts};
    const kk = Math.floor((this.thread.x + 0.5) / ${groups});
    const lane = this.thread.x - kk * ${groups};
    const top = this.thread.y * ${height};
    const first = ${s.group === 1 ? '0' : `Math.floor((top + 0.5) / ${s.produced}) * ${s.reduced}`};
    ${rows.map(q => `const m${q} = ${upTo(`top + ${q}`, channels, height)};`).join(' ')}
    ${[xChannels].flat().join(' ')}
    ${lanes === 'taps' ? '' : `const kRow = Math.floor((kk + 0.5) / ${last(s.kernel)});`}
    ${axes ? places('k', tapRow, others(s.kernel)) : ''}
    const at = ${lanes === 'taps' ? `lane * ${WIDE * last(s.dilation)}` : `(kk - kRow * ${last(s.kernel)}) * ${last(s.dilation)}`}${start('k', s.dilation)};
    ${rows.map(q => `let s${q}0 = 0; let s${q}1 = 0; let s${q}2 = 0; let s${q}3 = 0;`).join('\n')}
    for (let j = 0; j < ${p.images}; j++) {
      const n = partImage * ${p.images} + j;
      ${imageGuard} ${lines} }
    }
    ${storedRows(results)}
    return [${results[0]}]
  }`
}

/** Σ of the parts for tap thread.x, channel thread.y of x and channel thread.z of y. */
function totalSource({ s, lanes, imageParts, lineParts }: Plan): string {
  const taps = last(s.kernel)
  const place =
    lanes === 'taps'
      ? `p * ${s.reduced} + this.thread.y][this.thread.z][this.thread.x + row * ${WIDE * groupsOfFour(taps) - taps}`
      : `p][this.thread.z][this.thread.x * ${WIDE * groupsOfFour(s.reduced)} + this.thread.y`
  return `function (x) {
    const row = Math.floor((this.thread.x + 0.5) / ${taps});
    let sum = 0;
    for (let p = 0; p < ${imageParts * lineParts}; p++) { sum += x[${place}]; }
    return sum
  }`
}

/** Undefined for a shape that is better off with one value a thread. */
export function weightGradientKernels(
  name: string,
  given: Correlation,
  mostRows: number,
): WeightGradientKernels | undefined {
  const p = plan(given, mostRows)
  if (!p) return undefined
  const { s, plane } = p
  const [x, y, z] = threadsFor(s, p.lanes)
  return {
    inputDims: [product(s.input), s.group * s.reduced, s.batch],
    padded: plane === s.input ? undefined : generatedKernel(`${name}, padding`, () => paddedSource(s, plane)),
    paddedDims: [product(plane), s.group * s.reduced, s.batch],
    outputDims: [product(s.output), s.group * s.produced, s.batch],
    parts: generatedKernel(name, () => partsSource(p), WIDE, p.height),
    partsDims: [WIDE * x, y, z * p.imageParts * p.lineParts],
    total: generatedKernel(`${name}, sum of parts`, () => totalSource(p)),
    totalDims: [product(s.kernel), s.reduced, s.group * s.produced],
  }
}

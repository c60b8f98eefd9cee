import type { Engine, Fusions, Kernels } from '../../engine.js'
import { kernelsOf } from '../../engines/complete.js'
import { type Heap, Memory, plainHeap } from '../../memory.js'
import { RandomStream } from '../../rng.js'
import { kernelCases } from './index.js'
import type { KernelCase, Kit } from './kit.js'

/** What a case is run on. */
export interface KernelTable {
  readonly kernels: Kernels
  readonly heap: Heap
}

/** Allowed differences: |got − expected| ≤ ofLargest·max |expected| + ofValue·|expected|, both over one output. */
export interface Tolerance {
  readonly ofLargest: number
  readonly ofValue: number
}

/** How a kernel's cases went. */
export interface KernelResult {
  readonly kernel: keyof Kernels
  /** Cases that were compared. */
  readonly cases: number
  /** The largest difference as a share of what is allowed: at most 1 if all is well. */
  readonly worst: number
  /** Where that is, and the values. */
  readonly at: string
  /** What a kernel threw. */
  readonly error?: string
}

const onHost: Tolerance = { ofLargest: 2e-6, ofValue: 2e-6 }
/** A device has its own e^x and division. */
const onDevice: Tolerance = { ofLargest: 3e-6, ofValue: 0 }

/** Kernels that a device can be held to: those of a case that is not for hosts only. */
export const onEveryDevice: readonly (keyof Kernels)[] = (Object.keys(kernelCases) as (keyof Kernels)[]).filter(
  kernel => kernelCases[kernel]?.some(c => c.hostOnly === undefined),
)

/** What is smaller than the smallest normal float32 may be 0. */
const FLT_MIN = 2 ** -126

/**
 * Runs one case; the values depend on the kernel's and the case's name alone. What is to be written holds `unwritten`
 * before, so that a value nobody wrote shows. Resolves nothing on a device: pull the outputs, then dispose what was
 * made.
 */
export function runCase(
  kernel: keyof Kernels,
  c: KernelCase,
  { kernels, heap }: KernelTable,
  unwritten = Number.NaN,
): { outputs: Memory[]; made: Memory[] } {
  const { kit, outputs, made } = makeKit(`${kernel} ${c.name}`, heap, unwritten)
  c.run(kernels, kit)
  return { outputs, made }
}

/** A kit with the same values whenever it has the same name. */
export function makeKit(
  name: string,
  heap: Heap,
  unwritten = Number.NaN,
): { kit: Kit; outputs: Memory[]; made: Memory[] } {
  const draw = drawing(name)
  const outputs: Memory[] = []
  const made: Memory[] = []
  const make = (n: number, fill: (array: Float32Array) => void) => {
    const memory = new Memory(n, heap)
    fill(memory.array)
    made.push(memory)
    return memory
  }
  const drawn = (what: string, n: number, fill: Fill) => make(n, array => array.set(draw(what, n, fill)))
  const kit: Kit = {
    random: (n, scale = 1) => drawn(`±${scale}`, n, uniform((2 * scale) / 0x1000000, -scale)),
    positive: n => drawn('positive', n, uniform(1 / 0x1000000, 0.1)),
    integers: (n, below) =>
      drawn(`below ${below}`, n, (values, stream) => {
        for (let i = 0; i < n; i++) values[i] = stream.integer(below)
      }),
    values: (...values) => make(values.length, array => array.set(values)),
    out(memory) {
      const given = typeof memory === 'number' ? make(memory, array => array.fill(unwritten)) : memory
      outputs.push(given)
      return given
    },
  }
  return { kit, outputs, made }
}

/** Draws values from a stream. */
type Fill = (values: Float32Array, stream: RandomStream) => void

/** `least` + `step` × 24 random bits. All at once: one by one, most cases are drawn for longer than they are computed. */
const uniform =
  (step: number, least: number): Fill =>
  (values, stream) => {
    const bits = new Uint32Array(values.length)
    stream.uint32s(bits)
    for (let i = 0; i < bits.length; i++) values[i] = (bits[i] >>> 8) * step + least
  }

/** What somebody drew from a stream, and where the stream stood afterwards. */
interface Drawn {
  readonly what: string
  readonly values: Float32Array
  readonly end: number
}

/** What the last name drew, in order: a case runs on one engine after the other, and drawing takes longer than most. */
let last: { name: string; drawn: Drawn[] } | undefined

/** Draws values from the stream of that name: whoever draws the same in the same order gets the same. */
function drawing(name: string): (what: string, n: number, fill: Fill) => Float32Array {
  const drawn = last?.name === name ? last.drawn : []
  last = { name, drawn }
  const stream = new RandomStream(7, name)
  let at = 0
  return (what, n, fill) => {
    const known = drawn[at]
    if (known?.what !== what || known.values.length !== n) {
      const values = new Float32Array(n)
      fill(values, stream)
      drawn.splice(at, drawn.length, { what, values, end: stream.index })
    }
    const { values, end } = drawn[at++]
    stream.index = end
    return values
  }
}

/** The largest difference of two outputs as a share of what is allowed, and where. */
export function compareOutput(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  { ofLargest, ofValue }: Tolerance,
): { worst: number; at: string } {
  let largest = 0
  for (let i = 0; i < expected.length; i++)
    if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]))
  let [worst, place] = [0, -1]
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(got[i], expected[i])) continue
    const allowed = ofLargest * largest + ofValue * Math.abs(expected[i]) + FLT_MIN
    const share = Math.abs(got[i] - expected[i]) / allowed
    // NaN, and one infinity for another number, are no smaller than anything
    if (!(share <= worst)) [worst, place] = [Number.isNaN(share) ? Number.POSITIVE_INFINITY : share, i]
  }
  if (place < 0) return { worst, at: '' }
  const values = `${got[place]} where the plain loops give ${expected[place]} (largest ${largest})`
  return { worst, at: `value ${place} of ${expected.length}: ${values}` }
}

/** Those of a kernel's cases that are for such an engine. */
export function casesFor(kernel: keyof Kernels, engine: Engine): KernelCase[] {
  const fuses: readonly string[] = engine.fuses?.[kernel as keyof Fusions] ?? []
  return (kernelCases[kernel] ?? []).filter(
    c => (engine.isHost || c.hostOnly === undefined) && (c.after === undefined || fuses.includes(c.after)),
  )
}

const usual = (engine: Engine): Tolerance => (engine.isHost ? onHost : onDevice)

/** Runs one case on a reference and on an engine, and compares what they wrote. */
export async function compareCase(
  kernel: keyof Kernels,
  c: KernelCase,
  reference: Kernels,
  engine: Engine,
  tolerance = usual(engine),
): Promise<{ worst: number; at: string }> {
  // a device need not keep a NaN that is sent up; no kernel computes this
  const unwritten = engine.isHost ? Number.NaN : 12345
  const expected = runCase(kernel, c, { kernels: reference, heap: plainHeap }, unwritten)
  const got = runCase(kernel, c, { kernels: kernelsOf(engine), heap: engine.heap }, unwritten)
  let [worst, at] = [0, '']
  for (const [i, memory] of got.outputs.entries()) {
    await memory.pull()
    const allowed = { ...tolerance, ofLargest: Math.max(tolerance.ofLargest, c.tolerance ?? 0) }
    const difference = compareOutput(memory.array, expected.outputs[i].array, allowed)
    if (difference.worst > worst) [worst, at] = [difference.worst, `${c.name}, output ${i}, ${difference.at}`]
  }
  for (const memory of got.made) memory.dispose()
  return { worst, at }
}

/** A share of a kernel's cases, for engines that divide them: of each `of` cases in a row the one at `part`, at least one. */
export interface Share {
  readonly part: number
  readonly of: number
}

function shareOf(cases: KernelCase[], { part, of }: Share): KernelCase[] {
  const stride = Math.min(of, cases.length)
  return cases.filter((_, i) => i % stride === part % stride)
}

/**
 * Runs those of a kernel's cases that are for such an engine on a reference and on it, and compares what they wrote.
 *
 * @param options.tolerance what it allows by default is what float32 sums in another order need
 * @param options.share default: all cases
 */
export async function compareKernel(
  kernel: keyof Kernels,
  reference: Kernels,
  engine: Engine,
  { tolerance = usual(engine), share = { part: 0, of: 1 } }: { tolerance?: Tolerance; share?: Share } = {},
): Promise<KernelResult> {
  const cases = shareOf(casesFor(kernel, engine), share)
  let [worst, at] = [0, '']
  try {
    for (const c of cases) {
      const difference = await compareCase(kernel, c, reference, engine, tolerance)
      if (difference.worst > worst) ({ worst, at } = difference)
    }
  } catch (error) {
    return { kernel, cases: cases.length, worst, at, error: (error as Error).message }
  }
  return { kernel, cases: cases.length, worst, at }
}

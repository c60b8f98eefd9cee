import { EngineError } from './errors.js'
import type { Memory } from './memory.js'
import { isFields, mustTake } from './system/arguments.js'

/**
 * Sizes of a tensor as kernels index it, `values[z][y][x]`: x is the fastest, so [x, y, z] is the row-major array (z,
 * y, x).
 */
export type Dims = readonly [x: number, y: number, z: number]

/** What a tensor argument looks like inside a kernel. */
export type Tensor = readonly (readonly (readonly number[])[])[]

/** Numbers that are compiled into a kernel: sizes, loop bounds. Other values must be arguments. */
export type Constants = Readonly<Record<string, number>>

/** `this` inside a kernel: the place of the value that it computes, and its constants. */
export interface KernelThis {
  readonly thread: { readonly x: number; readonly y: number; readonly z: number }
  readonly constants: Constants
}

/** One value of the output as a function of tensors and numbers. */
export type KernelFunction = (this: KernelThis, ...args: never[]) => number

/** A kernel as the gpu engine takes it: made by `gpuKernel`. */
export interface GpuKernel {
  readonly name: string
  /** Source text of `function (…) { … }` for these constants. */
  readonly source: (constants: Constants) => string
  /** Source text of the functions that it calls. */
  readonly functions: readonly string[]
  /**
   * Neighbouring values along x that one thread computes: with 4 the source returns `[a, b, c, d]` and `this.thread.x`
   * counts groups of four.
   */
  readonly width?: 1 | 4
  /**
   * Rows along y that one thread computes, each `width` long: rows 1 and up are passed to `storeRow(row, a, b, c, d)`,
   * row 0 is returned.
   */
  readonly height?: number
  /** Every index is a sum of whole numbers. */
  readonly wholeIndices?: boolean
}

/** A memory as a tensor of other sizes; nothing is moved. */
export interface View {
  readonly memory: Memory
  readonly dims: Dims
}

/** `memory` as kernels shall index it: [x, y, z] with z·y·x values. */
export function view(memory: Memory, x: number, y = 1, z = 1): View {
  mustTake(isFields(memory), 'view', 'the memory of a blob, bottom[0].memory.data', memory)
  return { memory, dims: [x, y, z] }
}

/**
 * A kernel for the gpu engine: a plain `function` that returns one value of the output, computed once for every place
 * in it. It becomes shader code, so it may use arguments, `this.thread`, `this.constants`, Math and the given helper
 * functions (of numbers only), and nothing from around it.
 *
 * @example
 * const swish = gpuKernel('swish', function (x: Tensor, beta: number) {
 *   const v = x[this.thread.z][this.thread.y][this.thread.x]
 *   return v / (1 + Math.exp(-beta * v))
 * })
 */
export function gpuKernel(
  name: string,
  body: KernelFunction,
  functions: readonly ((...args: number[]) => number)[] = [],
): GpuKernel {
  mustTake(typeof name === 'string', 'gpuKernel', 'a name and a function', name)
  if (typeof body !== 'function')
    throw new EngineError(`gpuKernel('${name}', …): the second argument is the kernel itself, a function`)
  mustTake(Array.isArray(functions), `gpuKernel('${name}', …)`, 'its helpers in an array, [square]', functions)
  const text = checked(name, body.toString())
  return { name, source: () => text, functions: functions.map(f => helper(name, f)) }
}

/**
 * A kernel whose source is written for its constants: unrolled loops, any number of axes. Its indices are sums of whole
 * numbers.
 */
export function generatedKernel(
  name: string,
  source: (constants: Constants) => string,
  width: 1 | 4 = 1,
  height = 1,
): GpuKernel {
  return { name, source, functions: height > 1 ? [storeRow] : [], width, height, wholeIndices: true }
}

/** What a device puts its own function in the place of; a text, since minifiers rename functions. */
const storeRow = 'function storeRow(row, a, b, c, d) { return row + a + b + c + d }'

/**
 * The text as `function (…) { … }`, the only form that gpu.js compiles; linters like to make arrows of functions
 * without `this`.
 */
function checked(name: string, text: string): string {
  if (/^function\b(?!\s*\*)/.test(text)) return text
  const arrow = /^(?:\(([^()]*)\)|([\w$]+))\s*=>\s*/.exec(text)
  if (!arrow)
    throw new EngineError(
      `kernel '${name}' must be written as function (…) { … }: methods and classes have no source that compiles`,
    )
  const body = text.slice(arrow[0].length)
  return `function (${arrow[1] ?? arrow[2]}) ${body.startsWith('{') ? body : `{ return ${body} }`}`
}

/** The text of a helper, with the name that the kernel calls it by. */
function helper(kernel: string, given: (...args: number[]) => number): string {
  if (typeof given !== 'function')
    throw new EngineError(`kernel '${kernel}': its helpers are functions, in an array: [log1pOf, square]`)
  const text = checked(`${kernel}', helper '${given.name}`, given.toString())
  if (/^function\s+[^\s(]/.test(text)) return text
  if (!/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(given.name))
    throw new EngineError(
      `kernel '${kernel}': a helper has no name to call it by; write const square = (v: number) => v * v, and give [square]`,
    )
  return text.replace(/^function\s*/, () => `function ${given.name}`)
}

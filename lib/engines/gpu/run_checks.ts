import { EngineError } from '../../errors.js'
import type { Constants, GpuKernel, View } from '../../gpu_kernel.js'
import { Memory } from '../../memory.js'

type Given = Memory | View | number

/**
 * What `run` was given, before anything is queued: kernels read and write memories by sizes that they are told, so a view
 * that says another size than its memory's would read what is not there, or leave values unwritten. Throws an
 * EngineError that names the kernel, the argument and the sizes.
 *
 * @param isWorkspace whether a memory may be longer than what is used of it
 */
export function checkRun(
  kernel: GpuKernel,
  args: readonly Given[],
  out: Memory | View,
  constants: Constants,
  isWorkspace: (memory: Memory) => boolean,
): void {
  if (typeof kernel?.source !== 'function' || !Array.isArray(kernel.functions))
    throw new EngineError(`run takes a kernel that gpuKernel made, not ${described(kernel)}`)
  const fail = (what: string) => new EngineError(`kernel '${kernel.name}': ${what}`)
  if (!Array.isArray(args))
    throw fail(`its arguments are an array, [bottom[0].memory.data, 0.5], not ${described(args)}`)
  args.forEach((arg, i) => {
    if (typeof arg === 'number') return
    const which = `argument ${i + 1}`
    if (!(arg instanceof Memory) && !isView(arg)) throw fail(`${which} is ${described(arg)}`)
    checkSize(arg, which, fail, () => true)
  })
  if (!(out instanceof Memory) && !isView(out)) throw fail(`its output is ${described(out)}`)
  checkSize(out, 'its output', fail, isWorkspace)
  for (const [name, value] of Object.entries(constants))
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw fail(`constant '${name}' is ${described(value)}: constants are finite numbers`)
}

function checkSize(
  tensor: Memory | View,
  which: string,
  fail: (what: string) => EngineError,
  mayBeLonger: (memory: Memory) => boolean,
): void {
  if (tensor instanceof Memory) return
  const { memory, dims } = tensor
  const sizes = dims.join(' × ')
  if (dims.length !== 3 || dims.some(size => !Number.isSafeInteger(size) || size < 0))
    throw fail(`${which} is a view of ${sizes}: three whole numbers, view(memory, x, y, z)`)
  const count = dims[0] * dims[1] * dims[2]
  if (count > memory.length)
    throw fail(`${which} is a view of ${sizes} = ${count} values, but its memory has ${memory.length}`)
  if (count < memory.length && !mayBeLonger(memory))
    throw fail(
      `${which} is a view of ${sizes} = ${count} values of a memory of ${memory.length}: run replaces all of it, so the rest would be lost`,
    )
}

const isView = (value: unknown): value is View =>
  typeof value === 'object' &&
  value !== null &&
  (value as View).memory instanceof Memory &&
  Array.isArray((value as View).dims)

/** For messages: what somebody gave, and what to give instead. */
function described(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return `${value}`
  if (typeof value === 'function') return 'a function; gpuKernel makes a kernel of it'
  if (typeof value === 'number') return `${value}`
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return 'an array; put its values into a Blob in this.engine.heap, and give blob.memory.data'
  const { memory, data } = value as { memory?: { data?: unknown }; data?: unknown }
  if (memory?.data instanceof Memory) return 'a Blob; give blob.memory.data or blob.memory.diff'
  if (data !== undefined) return 'a host array; give blob.memory.data, which the device can read'
  return `a value of type ${typeof value}; a memory, a view of one, or a number can be given`
}

import { NetError } from '../errors.js'
import type { Dim, Value } from './graph.js'
import type { SizeOptions } from './import_options.js'

const own = <T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
  record && Object.hasOwn(record, name) ? record[name] : undefined

/**
 * The shape of every input: what the model fixes, what the options say, and 1 for a batch, axis 0, of which neither says
 * anything. A NetError for any other size that is open, and for what contradicts.
 */
export function inputSizes(
  inputs: readonly Value[],
  options: SizeOptions,
  /** Names that shapes may say something of. */
  known = inputs,
): Map<string, number[]> {
  const names = new Map(Object.entries(options.dims ?? {}))
  for (const name of Object.keys(options.shapes ?? {}))
    if (!known.some(input => input.name === name))
      throw new NetError(
        `shapes names '${name}', which is no input of the model: it has ${known.map(input => `'${input.name}'`).join(', ') || 'none'}`,
      )
  // shapes first: what they say of a name holds for all axes of that name
  for (const { name, shape = [] } of inputs)
    own(options.shapes, name)?.forEach((size, axis) => {
      const dim = shape[axis]
      if (typeof dim === 'string' && !names.has(dim)) names.set(dim, size)
    })
  return new Map(inputs.map(input => [input.name, sizesOf(input, own(options.shapes, input.name), names)]))
}

function sizesOf(
  { name, shape }: Value,
  given: readonly number[] | undefined,
  names: ReadonlyMap<string, number>,
): number[] {
  const says = `the model says [${shape?.map(dim => dim ?? '?').join(', ')}]`
  const how = `give shapes: { ${JSON.stringify(name)}: [${shape?.map(dim => (typeof dim === 'number' ? dim : '…')).join(', ') ?? '…'}] }`
  if (given?.some(size => !Number.isInteger(size) || size < 0))
    throw new NetError(`shapes of input '${name}', [${given.join(', ')}], are no sizes`)
  if (!shape) {
    if (given) return [...given]
    throw new NetError(`input '${name}' may have any number of axes: ${how}`)
  }
  if (given && (given.length !== shape.length || shape.some((dim, i) => contradicts(dim, given[i], names))))
    throw new NetError(`input '${name}' cannot be [${given.join(', ')}]: ${says}`)
  const sizes = shape.map((dim, axis) => {
    if (given) return given[axis]
    if (typeof dim === 'number' && dim > 0) return dim
    const named = typeof dim === 'string' ? names.get(dim) : undefined
    // a size of 0 is how some writers say that they do not know it
    return named ?? (axis === 0 ? 1 : undefined)
  })
  const open = sizes.indexOf(undefined)
  if (open >= 0)
    throw new NetError(
      `axis ${open} of input '${name}' has no size: ${says}; ${how}${typeof shape[open] === 'string' ? `, or dims: { ${JSON.stringify(shape[open])}: … }` : ''}`,
    )
  return sizes.map(size => size ?? 1)
}

function contradicts(dim: Dim, size: number, names: ReadonlyMap<string, number>): boolean {
  if (typeof dim === 'string') return (names.get(dim) ?? size) !== size
  return typeof dim === 'number' && dim > 0 && dim !== size
}

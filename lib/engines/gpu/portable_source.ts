import { EngineError } from '../../errors.js'
import type { Constants, GpuKernel } from '../../gpu_kernel.js'
import type { NativeTensor } from './backend.js'
import type { GpuJs, SyntaxNode } from './gpujs.js'
import type { Surroundings } from './kernel_expressions.js'
import { plainName } from './kernel_names.js'
import { KernelStatements } from './kernel_statements.js'
import { calledName, KernelRefusal, partsOf } from './kernel_syntax.js'

/** Tensors that one kernel may read: a WebGPU device is sure to bind eight buffers, and the result is one of them. */
const MOST_TENSORS = 7

/** A kernel's texts as every mode of gpu.js compiles them. */
export interface PortableKernel {
  readonly source: string
  readonly functions: string[]
}

/**
 * Kernels that were made portable, by all that decides the result: nets ask for the same ones at other sizes, and on
 * other devices. Of more than so many the oldest goes.
 */
const made = new Map<string, PortableKernel>()
const MOST_MADE = 1024

/**
 * A kernel and its helpers, whatever a minifier made of them, in a form that every device compiles, and that gives the
 * same values on all of them. Throws an EngineError that names the kernel and what in it is wrong: also on engines that
 * would take it, so that a test without a device finds what a page would meet.
 */
export function portableKernel(
  kernel: GpuKernel,
  constants: Constants,
  given: readonly (NativeTensor | number)[],
  lib: GpuJs,
): PortableKernel {
  const where = { helper: '' }
  try {
    const args = given.map(arg => (typeof arg === 'number' ? 'number' : 'tensor'))
    const tensors = args.filter(kind => kind === 'tensor').length
    if (tensors > MOST_TENSORS)
      throw new KernelRefusal(
        `it reads ${tensors} tensors, and some devices bind ${MOST_TENSORS} at most: make it two kernels`,
      )
    const root = kernel.source(constants)
    const names = Object.keys(constants)
    const key = JSON.stringify([root, kernel.functions, names, args])
    let portable = made.get(key)
    if (!portable) {
      portable = makePortable(root, kernel.functions, names, args, lib, where)
      if (made.size >= MOST_MADE) made.delete(made.keys().next().value!)
      made.set(key, portable)
    }
    return portable
  } catch (error) {
    if (!(error instanceof KernelRefusal)) throw error
    throw new EngineError(`kernel '${kernel.name}'${where.helper}: ${error.message}`, { cause: error })
  }
}

/** `where.helper` says, once it throws, in which helper it was. */
function makePortable(
  root: string,
  own: readonly string[],
  constants: readonly string[],
  args: readonly ('number' | 'tensor')[],
  lib: GpuJs,
  where: { helper: string },
): PortableKernel {
  const texts = own.map(text => ({ text, node: parsed(text, lib) }))
  const helpers = new Map(texts.map(({ text, node }) => [nameOf(node), helperName(text, nameOf(node))]))
  const tree = parsed(root, lib)
  const nodes = texts.map(({ node }) => node)
  adoptHelpers(helpers, [tree, ...nodes], nodes)
  const params = tree.params as SyntaxNode[]
  if (args.length < params.length)
    throw new KernelRefusal(
      `it takes ${params.length} arguments (${params.map(({ name }) => name).join(', ')}), run was given ${args.length}`,
    )
  const source = lowered(root, tree, { helpers, constants, args }, '')
  const functions = texts.map(({ text, node }) => {
    where.helper = `, helper '${nameOf(node)}'`
    const numbers = (node.params as SyntaxNode[]).map(() => 'number' as const)
    return lowered(text, node, { helpers, constants, args: numbers }, helperName(text, nameOf(node)))
  })
  return { source, functions }
}

/** The same of one function alone, of which nothing else is known. */
export function portableSource(text: string, lib: GpuJs, surroundings: Surroundings = { helpers: new Map() }): string {
  return lowered(text, parsed(text, lib), surroundings, '')
}

function lowered(text: string, node: SyntaxNode, surroundings: Surroundings, name: string): string {
  return new KernelStatements(`(${text})`, surroundings).function(node, name)
}

/** In parentheses it is an expression, which needs no name. */
function parsed(text: string, { acorn }: GpuJs): SyntaxNode {
  let tree: SyntaxNode
  try {
    tree = acorn.parse(`(${text})`, { ecmaVersion: 'latest' })
  } catch (error) {
    throw new KernelRefusal(`its text is not a function: ${(error as Error).message}`)
  }
  const { expression } = (tree.body as { expression: SyntaxNode }[])[0]
  if (expression.type !== 'FunctionExpression') throw new KernelRefusal('it is not written as function (…) { … }')
  return expression
}

/**
 * An arrow has no name in its text, and a bundler may call the variable that holds it something else. A call without a
 * helper and a helper without a call belong together where they are the only ones with so many arguments.
 */
function adoptHelpers(helpers: Map<string, string>, trees: readonly SyntaxNode[], own: readonly SyntaxNode[]): void {
  const called = new Map<string, number>()
  const collect = (node: SyntaxNode): void => {
    const name = node.type === 'CallExpression' ? calledName(node) : undefined
    if (name !== undefined && name !== 'Number') called.set(name, (node.arguments as SyntaxNode[]).length)
    for (const part of partsOf(node)) collect(part)
  }
  for (const tree of trees) collect(tree)
  const unknown = [...called].filter(([name]) => !helpers.has(name))
  const idle = own.filter(node => !called.has(nameOf(node)))
  for (const [name, count] of unknown) {
    const fitting = idle.filter(node => (node.params as SyntaxNode[]).length === count)
    if (fitting.length === 1 && unknown.filter(([, n]) => n === count).length === 1)
      helpers.set(name, helpers.get(nameOf(fitting[0]))!)
  }
}

const nameOf = (node: SyntaxNode): string => (node.id as { name: string } | null)?.name ?? ''

/** Shader languages have functions of their own, which a helper must not be called like; the engine's own stays. */
const helperName = (text: string, name: string): string =>
  text.startsWith('function storeRow(row, a, b, c, d)') ? name : `${plainName(name)}Helper`

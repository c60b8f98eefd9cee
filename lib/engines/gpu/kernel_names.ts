import type { SyntaxNode } from './gpujs.js'
import { contains, KernelRefusal, partsOf } from './kernel_syntax.js'

/** What a name in a kernel stands for. */
export interface Variable {
  /** Its name in the portable text, which no other variable has; of an alias, what it is another name of. */
  readonly text: string
  readonly kind: 'number' | 'tensor' | 'unknown' | 'alias'
  /** Arguments of a kernel cannot be written to on every device. */
  readonly argument?: boolean
}

export type Scope = Map<string, Variable>

/** What shader languages take as a part of a name: letters and digits, no two underscores in a row, no $. */
export function plainName(name: string): string {
  return name
    .replaceAll('$', 'Dollar')
    .replace(/[^\w]/g, letter => `u${letter.codePointAt(0)!.toString(16)}`)
    .replace(/_+/g, '_')
}

/** Gives every variable of a function a name of its own: an inner one may be called like an outer one. */
export class Names {
  private readonly taken = new Set<string>()

  unique(name: string): string {
    const plain = plainName(name)
    let unique = plain
    for (let k = 2; this.taken.has(unique); k++) unique = `${plain}n${k}`
    this.taken.add(unique)
    return unique
  }

  declare(scope: Scope, name: string, kind: Variable['kind'] = 'number', argument = false): Variable {
    const variable: Variable = { text: this.unique(name), kind, argument }
    scope.set(name, variable)
    return variable
  }
}

/**
 * Names declared with `var` that are used outside of the block or loop that declares them, or keep a value from one
 * round to the next: they belong to the function. The others are as good as `let`.
 */
export function hoistedNames(body: SyntaxNode): Set<string> {
  const owners = new Map<string, SyntaxNode[]>()
  const bare = new Set<string>()
  const collect = (node: SyntaxNode, owner: SyntaxNode) => {
    if (node.type === 'VariableDeclaration' && node.kind === 'var')
      for (const { id, init } of node.declarations as { id: SyntaxNode; init: SyntaxNode | null }[]) {
        const name = id.name as string
        if (id.type !== 'Identifier') throw new KernelRefusal('it takes something apart with var: write let or const')
        owners.set(name, [...(owners.get(name) ?? []), owner])
        if (!init && owner !== body) bare.add(name)
      }
    const inner = node.type === 'BlockStatement' || node.type === 'ForStatement' ? node : owner
    for (const part of partsOf(node)) collect(part, inner)
  }
  collect(body, body)
  const hoisted = new Set<string>(bare)
  for (const [name, all] of owners) {
    const isOutside = ({ type, name: used, start, end }: SyntaxNode) =>
      type === 'Identifier' && used === name && !all.some(owner => start >= owner.start && end <= owner.end)
    if (contains(body, isOutside)) hoisted.add(name)
  }
  return hoisted
}

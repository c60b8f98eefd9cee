import type { GpuJs, SyntaxNode } from './gpujs.js'

type Scope = Map<string, string>

/**
 * The text of a function in which every variable has a name of its own. Minifiers give an inner variable the name of an outer one that is
 * not used there; gpu.js takes the two for one.
 */
export function uniqueNames(text: string, { acorn }: GpuJs): string {
  // in parentheses it is an expression, which needs no name
  const tree = acorn.parse(`(${text})`, { ecmaVersion: 'latest' })
  const taken = new Set(text.match(/[A-Za-z_$][\w$]*/g))
  const declared = new Set<string>()
  const edits: { start: number; end: number; name: string }[] = []

  const declare = (scope: Scope, name: string): void => {
    if (scope.has(name)) return
    let unique = name
    if (declared.has(name)) for (let k = 2; taken.has(unique); k++) unique = `${name}n${k}`
    declared.add(name)
    taken.add(unique)
    scope.set(name, unique)
  }
  /** The variables that a statement of this scope declares. */
  const declareAll = (scope: Scope, statement: SyntaxNode | null): void => {
    if (statement?.type !== 'VariableDeclaration') return
    for (const { id } of statement.declarations as { id: SyntaxNode }[]) if (id.type === 'Identifier') declare(scope, id.name as string)
  }
  const visit = (node: SyntaxNode, scopes: readonly Scope[]): void => {
    if (node.type === 'Identifier') {
      const name = node.name as string
      const unique = scopes.findLast(scope => scope.has(name))?.get(name)
      if (unique !== undefined && unique !== name) edits.push({ start: node.start, end: node.end, name: unique })
      return
    }
    let inner = scopes
    if (node.type === 'FunctionExpression' || node.type === 'BlockStatement' || node.type === 'ForStatement') {
      const scope: Scope = new Map()
      inner = [...scopes, scope]
      for (const param of (node.params as SyntaxNode[] | undefined) ?? [])
        if (param.type === 'Identifier') declare(scope, param.name as string)
      if (node.type === 'BlockStatement') for (const statement of node.body as SyntaxNode[]) declareAll(scope, statement)
      if (node.type === 'ForStatement') declareAll(scope, node.init as SyntaxNode | null)
    }
    for (const [field, value] of Object.entries(node)) {
      // the name behind a dot is no variable
      if (node.type === 'MemberExpression' && field === 'property' && !node.computed) continue
      if (node.type === 'FunctionExpression' && field === 'id') continue
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, inner)
    }
  }
  visit(tree, [])
  let result = `(${text})`
  for (const { start, end, name } of edits.sort((a, b) => b.start - a.start)) result = result.slice(0, start) + name + result.slice(end)
  return result.slice(1, -1)
}

const isNode = (value: unknown): value is SyntaxNode => typeof value === 'object' && value !== null && 'type' in value

import type { GpuJs, SyntaxNode } from './gpujs.js'

type Scope = Map<string, string>

/**
 * The text of a kernel as every mode of gpu.js compiles it, whatever a minifier made of it: every variable has a name
 * of its own (an inner one may be called like an outer one that is not used there), and what stands for a statement is
 * one: `c && (a -= 1)`, `a--`, `a = 1, b = 2`, `if (c) a = 1` without braces.
 */
export function portableSource(source: string, { acorn }: GpuJs): string {
  // in parentheses it is an expression, which needs no name; shader languages have no $ in names, minifiers do
  const text = `(${source.replaceAll('$', 'Dollar')})`
  const tree = acorn.parse(text, { ecmaVersion: 'latest' })
  const names = new Names(text)

  /** The text of a node, its parts rewritten. */
  function rewrite(node: SyntaxNode, scopes: readonly Scope[]): string {
    const inner = names.open(node, scopes)
    const part = (field: string) => rewrite(node[field] as SyntaxNode, inner)
    switch (node.type) {
      case 'Identifier':
        return names.of(node.name as string, scopes)
      case 'ExpressionStatement':
        return statement(node.expression as SyntaxNode, inner)
      case 'IfStatement': {
        const otherwise = node.alternate ? ` else { ${part('alternate')} }` : ''
        return `if (${part('test')}) { ${part('consequent')} }${otherwise}`
      }
      case 'ForStatement': {
        const [init, test, update] = ['init', 'test', 'update'].map(field => (node[field] ? part(field) : ''))
        return `for (${init.replace(/;\s*$/, '')}; ${test}; ${update}) { ${part('body')} }`
      }
      case 'ReturnStatement': {
        const value = node.argument as SyntaxNode | null
        if (value?.type !== 'SequenceExpression') return pieces(node, inner)
        const all = value.expressions as SyntaxNode[]
        return `${all
          .slice(0, -1)
          .map(e => statement(e, inner))
          .join(' ')} return ${rewrite(all.at(-1)!, inner)};`
      }
      default:
        return pieces(node, inner)
    }
  }

  /** An expression that stands for a statement. */
  function statement(node: SyntaxNode, scopes: readonly Scope[]): string {
    const part = (field: string) => rewrite(node[field] as SyntaxNode, scopes)
    const sub = (field: string) => statement(node[field] as SyntaxNode, scopes)
    if (node.type === 'LogicalExpression') {
      const condition = node.operator === '||' ? `!(${part('left')})` : part('left')
      return `if (${condition}) { ${sub('right')} }`
    }
    if (node.type === 'ConditionalExpression')
      return `if (${part('test')}) { ${sub('consequent')} } else { ${sub('alternate')} }`
    if (node.type === 'SequenceExpression')
      return (node.expressions as SyntaxNode[]).map(e => statement(e, scopes)).join(' ')
    if (node.type === 'UpdateExpression') return `${part('argument')} ${node.operator === '++' ? '+=' : '-='} 1;`
    return `${rewrite(node, scopes)};`
  }

  /** The node's own text with its parts put in. */
  function pieces(node: SyntaxNode, scopes: readonly Scope[]): string {
    let result = ''
    let at = node.start
    for (const child of childrenOf(node)) {
      result += text.slice(at, child.start) + rewrite(child, scopes)
      at = child.end
    }
    return result + text.slice(at, node.end)
  }

  return rewrite(tree, [])
    .trim()
    .replace(/^\(|\)?;?$/g, '')
}

/** Gives every variable of a function a name of its own. */
class Names {
  private readonly taken: Set<string>
  private readonly declared = new Set<string>()

  constructor(text: string) {
    this.taken = new Set(text.match(/[A-Za-z_$][\w$]*/g))
  }

  of(name: string, scopes: readonly Scope[]): string {
    return scopes.findLast(scope => scope.has(name))?.get(name) ?? name
  }

  /** The scopes inside a node: one more where it is a function, a block or a loop. */
  open(node: SyntaxNode, scopes: readonly Scope[]): readonly Scope[] {
    if (node.type !== 'FunctionExpression' && node.type !== 'BlockStatement' && node.type !== 'ForStatement')
      return scopes
    const scope: Scope = new Map()
    if (node.type === 'FunctionExpression') for (const param of node.params as SyntaxNode[]) this.declare(scope, param)
    const statements =
      node.type === 'BlockStatement' ? (node.body as SyntaxNode[]) : [node.init as SyntaxNode | undefined]
    for (const statement of statements)
      if (statement?.type === 'VariableDeclaration')
        for (const { id } of statement.declarations as { id: SyntaxNode }[]) this.declare(scope, id)
    return [...scopes, scope]
  }

  private declare(scope: Scope, id: SyntaxNode): void {
    if (id.type !== 'Identifier' || scope.has(id.name as string)) return
    const name = id.name as string
    let unique = name
    if (this.declared.has(name)) for (let k = 2; this.taken.has(unique); k++) unique = `${name}n${k}`
    this.declared.add(name)
    this.taken.add(unique)
    scope.set(name, unique)
  }
}

/**
 * The parts of a node in the order of the text. The name behind a dot and that of the function itself are no variables.
 */
function childrenOf(node: SyntaxNode): SyntaxNode[] {
  return Object.entries(node)
    .filter(([field]) => !(node.type === 'MemberExpression' && field === 'property' && !node.computed))
    .filter(([field]) => !(node.type === 'FunctionExpression' && field === 'id'))
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
    .filter((value): value is SyntaxNode => typeof value === 'object' && value !== null && 'type' in value)
    .sort((a, b) => a.start - b.start)
}

import type { SyntaxNode } from './gpujs.js'
import { KernelExpressions } from './kernel_expressions.js'
import { hoistedNames, type Scope } from './kernel_names.js'
import { alwaysReturns, changedName, changesSomething, contains, isComparison, KernelRefusal } from './kernel_syntax.js'

/** A loop around a statement: what runs before its next round, where the loop itself does not say it. */
type Loop = (() => void) | undefined

interface Declarator extends SyntaxNode {
  readonly id: SyntaxNode
  readonly init: SyntaxNode | null
}

/**
 * A kernel or a helper in statements that every device has. A loop that counts from a number to a bound of numbers and
 * constants stays a `for`, all others become `while`; `switch` becomes `if`; branches have braces.
 */
export class KernelStatements extends KernelExpressions {
  private hoisted = new Set<string>()
  private readonly loops: Loop[] = []

  /** The whole function, called `name`. */
  function(node: SyntaxNode, name: string): string {
    if (node.async || node.generator) throw new KernelRefusal('async functions and generators do not run on a device')
    const body = node.body as SyntaxNode
    const scope: Scope = new Map()
    const { args } = this.surroundings
    const params = (node.params as SyntaxNode[]).map((param, i) => {
      if (param.type !== 'Identifier')
        throw this.refuse(param, 'an argument of a kernel is a name: no default value, nothing taken apart, no rest')
      return {
        name: param.name as string,
        ...this.names.declare(scope, param.name as string, args?.[i] ?? 'unknown', true),
      }
    })
    if (!alwaysReturns(body)) throw new KernelRefusal('not every path through it returns a value')
    this.hoisted = hoistedNames(body)
    const text = this.block(() => {
      // devices do not let arguments be written to
      for (const { name, text } of params)
        if (contains(body, part => changedName(part) === name) && scope.get(name)?.kind !== 'tensor')
          this.lines.push(`let ${this.names.declare(scope, name).text} = ${text};`)
      for (const name of this.hoisted)
        if (!scope.has(name)) this.lines.push(`let ${this.names.declare(scope, name).text} = 0;`)
      this.statements(body.body as SyntaxNode[], [scope])
    })
    // minifiers may drop an argument that is not used
    const unused = (args ?? []).slice(params.length).map(() => this.names.unique('unused'))
    return `function ${name}(${[...params.map(param => param.text), ...unused].join(', ')}) ${text}`
  }

  private statements(nodes: readonly SyntaxNode[], outer: readonly Scope[]): void {
    const scopes = [...outer, new Map()]
    for (const node of nodes) this.statement(node, scopes)
  }

  private inBlock(node: SyntaxNode, scopes: readonly Scope[], after?: () => void): string {
    return this.block(() => {
      this.statements(node.type === 'BlockStatement' ? (node.body as SyntaxNode[]) : [node], scopes)
      after?.()
    })
  }

  private statement(node: SyntaxNode, scopes: readonly Scope[]): void {
    switch (node.type) {
      case 'EmptyStatement':
        return
      case 'ExpressionStatement':
        // "use strict"
        if (typeof (node.expression as SyntaxNode).value === 'string') return
        this.effect(node.expression as SyntaxNode, scopes)
        return
      case 'VariableDeclaration':
        for (const declarator of node.declarations as Declarator[])
          this.declaration(declarator, node.kind === 'const' ? 'const' : 'let', scopes)
        return
      case 'BlockStatement':
        this.statements(node.body as SyntaxNode[], scopes)
        return
      case 'IfStatement': {
        const test = this.condition(node.test as SyntaxNode, scopes)
        const then = this.inBlock(node.consequent as SyntaxNode, scopes)
        const otherwise = node.alternate ? ` else ${this.inBlock(node.alternate as SyntaxNode, scopes)}` : ''
        this.lines.push(`if (${test}) ${then}${otherwise}`)
        return
      }
      case 'ReturnStatement':
        this.returned(node.argument as SyntaxNode | null, node, scopes)
        return
      case 'ForStatement':
        this.forLoop(node, scopes)
        return
      case 'WhileStatement':
        this.loop(node.test as SyntaxNode, node.body as SyntaxNode, [], scopes)
        return
      case 'DoWhileStatement': {
        const leave = () => this.leaveUnless(node.test as SyntaxNode, scopes)
        this.loops.push(leave)
        this.lines.push(`while (true) ${this.inBlock(node.body as SyntaxNode, scopes, leave)}`)
        this.loops.pop()
        return
      }
      case 'SwitchStatement':
        this.switched(node, scopes)
        return
      case 'BreakStatement':
      case 'ContinueStatement':
        if (node.label) throw this.refuse(node, 'shader languages have no labels')
        if (node.type === 'ContinueStatement') this.loops.at(-1)?.()
        this.lines.push(node.type === 'BreakStatement' ? 'break;' : 'continue;')
        return
      default:
        throw this.refuse(node, `${node.type} is not something that every device has`)
    }
  }

  /** `return c ? a : b` where they change something, or are several values, is an `if`. */
  private returned(value: SyntaxNode | null, node: SyntaxNode, scopes: readonly Scope[]): void {
    if (value === null || (value.type === 'UnaryExpression' && value.operator === 'void'))
      throw this.refuse(node, 'a kernel returns a number on every path')
    if (value.type === 'SequenceExpression') {
      const all = value.expressions as SyntaxNode[]
      for (const part of all.slice(0, -1)) this.effect(part, scopes)
      this.returned(all.at(-1)!, node, scopes)
      return
    }
    const [then, otherwise] = [value.consequent, value.alternate] as (SyntaxNode | undefined)[]
    const several = (part: SyntaxNode) => part.type === 'ArrayExpression'
    if (value.type === 'ConditionalExpression' && (changesSomething(value) || contains(value, several))) {
      const test = this.condition(value.test as SyntaxNode, scopes)
      const [first, second] = [then!, otherwise!].map(part => this.block(() => this.returned(part, node, scopes)))
      this.lines.push(`if (${test}) ${first} else ${second}`)
      return
    }
    if (!several(value)) this.lines.push(`return ${this.number(value, scopes)};`)
    else this.lines.push(`return [${this.operands(value.elements as SyntaxNode[], scopes).join(', ')}];`)
  }

  private declaration({ id, init }: Declarator, kind: string, scopes: readonly Scope[]): void {
    const scope = scopes.at(-1)!
    if (id.type === 'ObjectPattern' && init) {
      this.takenApart(id, init, kind, scopes)
      return
    }
    if (id.type !== 'Identifier') throw this.refuse(id, 'a variable of a kernel is one number with a name')
    const name = id.name as string
    const path = init && this.path(init, scopes)
    if (path?.[0] === 'this' && path.length < 3) {
      scope.set(name, { text: path.join('.'), kind: 'alias' })
      return
    }
    const value = init ? this.number(init, scopes) : '0'
    if (this.hoisted.has(name)) {
      if (init) this.lines.push(`${scopes[0].get(name)!.text} = ${value};`)
    } else if (scope.has(name)) this.lines.push(`${scope.get(name)!.text} = ${value};`)
    else this.lines.push(`${init ? kind : 'let'} ${this.names.declare(scope, name).text} = ${value};`)
  }

  /** `const { x, y } = this.thread`. */
  private takenApart(pattern: SyntaxNode, init: SyntaxNode, kind: string, scopes: readonly Scope[]): void {
    const path = this.path(init, scopes)
    for (const property of pattern.properties as SyntaxNode[]) {
      const { key, value, computed } = property as unknown as { key: SyntaxNode; value: SyntaxNode; computed: boolean }
      if (path?.[0] !== 'this' || property.type !== 'Property' || computed || value.type !== 'Identifier')
        throw this.refuse(pattern, 'only this, this.thread and this.constants can be taken apart')
      const whole = [...path, key.name as string]
      const scope = scopes.at(-1)!
      if (whole.length < 3) scope.set(value.name as string, { text: whole.join('.'), kind: 'alias' })
      else {
        const { text } = this.names.declare(scope, value.name as string)
        this.lines.push(`${kind} ${text} = ${whole.join('.')};`)
      }
    }
  }

  private forLoop(node: SyntaxNode, outer: readonly Scope[]): void {
    const scopes = [...outer, new Map()]
    const [init, test] = [node.init, node.test] as (SyntaxNode | null)[]
    const updates = partsOfSequence(node.update as SyntaxNode | null)
    const body = node.body as SyntaxNode
    const counter = countedBy(node, updates)
    if (init?.type !== 'VariableDeclaration') {
      if (init) this.effect(init, scopes)
      this.loop(test, body, updates, scopes)
      return
    }
    const declarators = init.declarations as Declarator[]
    const counting = declarators.find(({ id }) => id.name === counter)
    const counts = counting && !this.hoisted.has(counter!) && !scopes.at(-1)!.has(counter!)
    for (const declarator of declarators)
      if (!counts || declarator !== counting) this.declaration(declarator, 'let', scopes)
    if (!counts) {
      this.loop(test, body, updates, scopes)
      return
    }
    const { text } = this.names.declare(scopes.at(-1)!, counter!)
    const [update] = updates.filter(part => changedName(part) === counter)
    const others = updates.filter(part => part !== update)
    const next = () => {
      for (const part of others) this.effect(part, scopes)
    }
    const head = `let ${text} = ${this.number(counting!.init!, scopes)}; ${this.condition(test!, scopes)}`
    this.loops.push(next)
    const inner = this.inBlock(body, scopes, next)
    this.loops.pop()
    this.lines.push(`for (${head}; ${stepOf(update, text)}) ${inner}`)
  }

  /** `while (test) { body; updates }`. */
  private loop(
    test: SyntaxNode | null,
    body: SyntaxNode,
    updates: readonly SyntaxNode[],
    scopes: readonly Scope[],
  ): void {
    const next = () => {
      for (const part of updates) this.effect(part, scopes)
    }
    let condition = 'true'
    const before = this.block(() => {
      if (test) condition = this.condition(test, scopes)
    })
    this.loops.push(next)
    if (before === '{  }') this.lines.push(`while (${condition}) ${this.inBlock(body, scopes, next)}`)
    else {
      const inner = this.block(() => {
        this.lines.push(`${before.slice(2, -2)} if (!${condition}) { break; }`)
        this.statements([body], scopes)
        next()
      })
      this.lines.push(`while (true) ${inner}`)
    }
    this.loops.pop()
  }

  private leaveUnless(test: SyntaxNode, scopes: readonly Scope[]): void {
    this.lines.push(`if (!${this.condition(test, scopes)}) { break; }`)
  }

  /** Cases that end are branches; one that goes on into the next is not. */
  private switched(node: SyntaxNode, outer: readonly Scope[]): void {
    const scopes = [...outer, new Map()]
    const value = this.temporary(this.number(node.discriminant as SyntaxNode, scopes))
    const groups: { tests: (SyntaxNode | null)[]; body: SyntaxNode[] }[] = []
    let open: (SyntaxNode | null)[] = []
    const cases = node.cases as SyntaxNode[]
    for (const [i, c] of cases.entries()) {
      open.push(c.test as SyntaxNode | null)
      const all = c.consequent as SyntaxNode[]
      const given = all.length === 1 && all[0].type === 'BlockStatement' ? (all[0].body as SyntaxNode[]) : all
      if (given.length === 0 && i < cases.length - 1) continue
      const end = given.findIndex(part => part.type === 'BreakStatement')
      const body = end < 0 ? given : given.slice(0, end)
      const ends =
        end >= 0 || i === cases.length - 1 || body.some(p => alwaysReturns(p) || p.type === 'ContinueStatement')
      if (!ends || body.some(breaksOut))
        throw this.refuse(c, 'a case of a switch ends with break or return, and has no other break: write if and else')
      groups.push({ tests: open, body })
      open = []
    }
    const branch = (rest: typeof groups, otherwise: SyntaxNode[] | undefined): string => {
      const [first, ...more] = rest
      if (!first) return otherwise ? this.block(() => this.statements(otherwise, scopes)) : '{ }'
      const tests = first.tests.map(test => `(${value} === ${this.number(test!, scopes)})`)
      const then = this.block(() => this.statements(first.body, scopes))
      const rests = more.length || otherwise ? ` else ${branch(more, otherwise)}` : ''
      return `${rest === all ? '' : '{ '}if (${tests.join(' || ')}) ${then}${rests}${rest === all ? '' : ' }'}`
    }
    const fallback = groups.find(({ tests }) => tests.includes(null))
    const all = groups.filter(group => group !== fallback)
    this.lines.push(branch(all, fallback?.body))
  }
}

const partsOfSequence = (node: SyntaxNode | null): readonly SyntaxNode[] =>
  node === null ? [] : node.type === 'SequenceExpression' ? (node.expressions as SyntaxNode[]) : [node]

/** Whether a `break` inside leaves what is around the node. */
function breaksOut(node: SyntaxNode): boolean {
  if (node.type === 'BreakStatement') return true
  if (/^(?:For|While|DoWhile|Switch)Statement$/.test(node.type)) return false
  const parts = Object.values(node).flat() as (SyntaxNode | undefined)[]
  return parts.some(part => typeof part === 'object' && part !== null && 'type' in part && breaksOut(part))
}

/** The variable that a loop counts from a number to a bound of numbers and constants, if it is such a loop. */
function countedBy(node: SyntaxNode, updates: readonly SyntaxNode[]): string | undefined {
  const [init, test, body] = [node.init, node.test, node.body] as (SyntaxNode | null)[]
  if (test?.type !== 'BinaryExpression' || !isComparison(test.operator)) return undefined
  const [left, right] = [test.left as SyntaxNode, test.right as SyntaxNode]
  const declarators = init?.type === 'VariableDeclaration' ? (init.declarations as Declarator[]) : []
  const counter = [left, right].find(({ type }) => type === 'Identifier')?.name as string | undefined
  const declarator = declarators.find(({ id }) => id.name === counter)
  if (counter === undefined || declarator?.init?.type !== 'Literal') return undefined
  const bound = left.type === 'Identifier' && left.name === counter ? right : left
  const isFixed = (part: SyntaxNode): boolean =>
    part.type === 'Literal' ||
    (part.type === 'BinaryExpression' && isFixed(part.left as SyntaxNode) && isFixed(part.right as SyntaxNode)) ||
    (part.type === 'MemberExpression' && isConstant(part))
  const changes = updates.filter(part => changedName(part) === counter)
  const [update] = changes
  const steps =
    changes.length === 1 &&
    (update.type === 'UpdateExpression' ||
      (/^[-+]=$/.test(update.operator as string) && isFixed(update.right as SyntaxNode)))
  const isUsed = contains(body!, part => changedName(part) === counter)
  return isFixed(bound) && steps && !isUsed ? counter : undefined
}

function isConstant({ object, computed }: SyntaxNode): boolean {
  const group = object as SyntaxNode
  return (
    !computed &&
    group.type === 'MemberExpression' &&
    (group.object as SyntaxNode).type === 'ThisExpression' &&
    (group.property as SyntaxNode).name === 'constants'
  )
}

function stepOf(update: SyntaxNode, name: string): string {
  if (update.type === 'UpdateExpression') return `${name}${update.operator}`
  return `${name} ${update.operator} ${(update.right as SyntaxNode).value}`
}

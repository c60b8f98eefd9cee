import type { SyntaxNode } from './gpujs.js'
import { Names, type Scope, type Variable } from './kernel_names.js'
import {
  calledName,
  changesSomething,
  excerpt,
  isBoolean,
  KernelRefusal,
  mathFunctions,
  truthOf,
} from './kernel_syntax.js'

/** What is known of the calls of a function when it is compiled. */
export interface Surroundings {
  /** Its helper functions: names in the text, and in the portable text. */
  readonly helpers: ReadonlyMap<string, string>
  /** The names of its constants, undefined where they are not known. */
  readonly constants?: readonly string[]
  /** What it is called with, undefined where that is not known. */
  readonly args?: readonly ('tensor' | 'number')[]
}

/**
 * Expressions of a kernel in the form that every device computes: numbers where numbers are wanted (`+(a > b)` is `a > b
 * ? 1 : 0`) and conditions where conditions are (`if (n)` is `if (n !== 0)`). What changes a variable inside becomes a
 * statement before, and what was read before that is kept, in the order of JavaScript.
 */
export abstract class KernelExpressions {
  protected lines: string[] = []
  protected readonly names = new Names()

  constructor(
    protected readonly text: string,
    protected readonly surroundings: Surroundings,
  ) {}

  /** Run what writes lines, and have them as a block. */
  protected block(write: () => void): string {
    const outer = this.lines
    this.lines = []
    write()
    const inner = this.lines
    this.lines = outer
    return `{ ${inner.join(' ')} }`
  }

  protected refuse(node: SyntaxNode, why: string): KernelRefusal {
    return new KernelRefusal(`'${excerpt(this.text, node)}': ${why}`)
  }

  protected number(node: SyntaxNode, scopes: readonly Scope[]): string {
    const truth = truthOf(node)
    if (truth !== undefined) return truth ? '1' : '0'
    if (isBoolean(node) && node.type !== 'ConditionalExpression') return `(${this.condition(node, scopes)} ? 1 : 0)`
    switch (node.type) {
      case 'Literal':
        return this.literal(node)
      case 'TemplateLiteral':
        throw this.refuse(node, 'a kernel has no texts, only numbers')
      case 'Identifier':
        return this.variable(node, scopes)
      case 'MemberExpression':
        return this.member(node, scopes)
      case 'CallExpression':
        return this.call(node, scopes)
      case 'UnaryExpression':
        return this.unary(node, scopes)
      case 'BinaryExpression':
        return this.binary(node, scopes)
      case 'LogicalExpression':
        return this.chosen(node, scopes)
      case 'ConditionalExpression':
        return this.conditional(node, scopes)
      case 'SequenceExpression': {
        const all = node.expressions as SyntaxNode[]
        for (const part of all.slice(0, -1)) this.effect(part, scopes)
        return this.number(all.at(-1)!, scopes)
      }
      case 'AssignmentExpression':
        this.effect(node, scopes)
        return this.number(node.left as SyntaxNode, scopes)
      case 'UpdateExpression': {
        const before = node.prefix ? undefined : this.kept(this.number(node.argument as SyntaxNode, scopes))
        this.effect(node, scopes)
        return before ?? this.number(node.argument as SyntaxNode, scopes)
      }
      case 'ArrayExpression':
      case 'NewExpression':
        throw this.refuse(node, 'arrays inside a kernel do not exist on every device: use a variable for each value')
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        throw this.refuse(node, 'a function inside a kernel: give it to gpuKernel as a helper, the third argument')
      default:
        throw this.refuse(node, `${node.type} is not something that every device computes`)
    }
  }

  protected condition(node: SyntaxNode, scopes: readonly Scope[]): string {
    const truth = truthOf(node)
    if (truth !== undefined) return String(truth)
    switch (isBoolean(node) ? node.type : '') {
      case 'UnaryExpression':
        return `!(${this.condition(node.argument as SyntaxNode, scopes)})`
      case 'BinaryExpression': {
        const operator = { '==': '===', '!=': '!==' }[node.operator as string] ?? node.operator
        const [left, right] = this.operands([node.left as SyntaxNode, node.right as SyntaxNode], scopes)
        if (left === right && /^[\w.[\]]+$/.test(left) && /^[!=]/.test(operator as string))
          throw this.refuse(node, 'a value that is no number equals itself on some devices: nothing tells it')
        return `(${left} ${operator} ${right})`
      }
      case 'LogicalExpression': {
        const [left, right] = [node.left as SyntaxNode, node.right as SyntaxNode]
        if (!changesSomething(right))
          return `(${this.condition(left, scopes)} ${node.operator} ${this.condition(right, scopes)})`
        const result = this.temporary('0')
        const first = this.condition(left, scopes)
        const write = (part: () => string) => this.block(() => this.lines.push(`${result} = ${part()};`))
        const second = write(() => `(${this.condition(right, scopes)} ? 1 : 0)`)
        this.lines.push(
          node.operator === '&&' ? `if (${first}) ${second}` : `if (${first}) { ${result} = 1; } else ${second}`,
        )
        return `(${result} !== 0)`
      }
      case 'SequenceExpression': {
        const all = node.expressions as SyntaxNode[]
        for (const part of all.slice(0, -1)) this.effect(part, scopes)
        return this.condition(all.at(-1)!, scopes)
      }
      case 'ConditionalExpression':
        return `(${this.conditional(node, scopes)} !== 0)`
      default:
        // `a && b` of numbers is as true as both
        if (node.type === 'LogicalExpression' && !changesSomething(node))
          return `(${this.condition(node.left as SyntaxNode, scopes)} ${node.operator} ${this.condition(node.right as SyntaxNode, scopes)})`
        return `(${this.number(node, scopes)} !== 0)`
    }
  }

  /** What an expression does, its value is not wanted. */
  protected effect(node: SyntaxNode, scopes: readonly Scope[]): void {
    switch (node.type) {
      case 'LogicalExpression': {
        const condition = this.condition(node.left as SyntaxNode, scopes)
        const then = this.block(() => this.effect(node.right as SyntaxNode, scopes))
        if (then !== '{  }') this.lines.push(`if (${node.operator === '||' ? `!${condition}` : condition}) ${then}`)
        return
      }
      case 'ConditionalExpression': {
        const condition = this.condition(node.test as SyntaxNode, scopes)
        const [then, otherwise] = [node.consequent, node.alternate].map(part =>
          this.block(() => this.effect(part as SyntaxNode, scopes)),
        )
        this.lines.push(`if (${condition}) ${then} else ${otherwise}`)
        return
      }
      case 'SequenceExpression':
        for (const part of node.expressions as SyntaxNode[]) this.effect(part, scopes)
        return
      case 'UpdateExpression':
        this.lines.push(
          `${this.target(node.argument as SyntaxNode, scopes)} ${node.operator === '++' ? '+=' : '-='} 1;`,
        )
        return
      case 'AssignmentExpression':
        this.assign(node, scopes)
        return
      case 'UnaryExpression':
        this.effect(node.argument as SyntaxNode, scopes)
        return
      default: {
        // a value that nobody wants: functions change nothing, but for the engine's own, which stores a row
        const value = this.number(node, scopes)
        if (/^storeRow\(/.test(value)) this.lines.push(`${value};`)
      }
    }
  }

  private assign(node: SyntaxNode, scopes: readonly Scope[]): void {
    const [left, right, operator] = [node.left as SyntaxNode, node.right as SyntaxNode, node.operator as string]
    const name = this.target(left, scopes)
    if (operator === '&&=' || operator === '||=' || operator === '??=') {
      if (operator === '??=') return
      const then = this.block(() => this.lines.push(`${name} = ${this.number(right, scopes)};`))
      this.lines.push(`if (${name} ${operator === '&&=' ? '!==' : '==='} 0) ${then}`)
      return
    }
    if (operator === '=') {
      this.lines.push(`${name} = ${this.number(right, scopes)};`)
      return
    }
    const [before, value] = changesSomething(right)
      ? this.operands([left, right], scopes)
      : [name, this.number(right, scopes)]
    if (/^[-+*/]=$/.test(operator) && before === name) this.lines.push(`${name} ${operator} ${value};`)
    else this.lines.push(`${name} = ${arithmetic(operator.slice(0, -1), before, value)};`)
  }

  /** The variable that is written to. */
  protected target(node: SyntaxNode, scopes: readonly Scope[]): string {
    if (node.type !== 'Identifier')
      throw this.refuse(node, 'a kernel writes to its own variables only; the value that it returns is its result')
    const { text, kind } = this.find(node, scopes)
    if (kind === 'tensor') throw this.refuse(node, 'a tensor cannot be written to')
    if (kind === 'alias') throw this.refuse(node, `it stands for ${text} and cannot be written to`)
    return text
  }

  /** Numbers, evaluated in order: what a later one changes does not reach an earlier one. */
  protected operands(nodes: readonly SyntaxNode[], scopes: readonly Scope[]): string[] {
    const lastChange = nodes.findLastIndex(changesSomething)
    return nodes.map((node, i) => {
      const value = this.number(node, scopes)
      return i < lastChange && !/^[\d.e+-]+$/.test(value) ? this.kept(value) : value
    })
  }

  /** The value in a variable of its own. */
  private kept(value: string): string {
    return this.temporary(value)
  }

  protected temporary(value: string): string {
    const name = this.names.unique('kept')
    this.lines.push(`let ${name} = ${value};`)
    return name
  }

  private literal(node: SyntaxNode): string {
    const { value } = node
    if (typeof value !== 'number') throw this.refuse(node, 'a kernel has numbers only')
    if (value > 3.4028234663852886e38)
      throw this.refuse(node, 'more than single precision holds; the largest number is 3.4028234663852886e38')
    return String(value)
  }

  private variable(node: SyntaxNode, scopes: readonly Scope[]): string {
    const { text, kind } = this.find(node, scopes)
    if (kind === 'tensor') throw this.refuse(node, `a tensor is indexed, ${node.name}[z][y][x]`)
    if (kind === 'alias') throw this.refuse(node, `${text} is no number`)
    return text
  }

  protected find(node: SyntaxNode, scopes: readonly Scope[]): Variable {
    const name = node.name as string
    const found = scopes.findLast(scope => scope.has(name))?.get(name)
    if (found) return found
    if (name === 'Infinity' || name === 'NaN')
      throw this.refuse(
        node,
        'shader languages do not have it; the largest number is 3.4028234663852886e38, as an argument or as it is',
      )
    const hint = this.surroundings.helpers.has(name) ? 'it is a helper function, which is called' : undefined
    throw this.refuse(
      node,
      hint ??
        'it is not defined in the kernel, which sees nothing from around it: pass it as an argument or a constant',
    )
  }

  /** `this.thread.x`, `this.constants.n`, `Math.PI`, `tensor[z][y][x]`. */
  private member(node: SyntaxNode, scopes: readonly Scope[]): string {
    const indices: SyntaxNode[] = []
    let base = node
    // this["thread"] is a name, not a place
    while (
      base.type === 'MemberExpression' &&
      base.computed &&
      typeof (base.property as SyntaxNode).value !== 'string'
    ) {
      indices.unshift(base.property as SyntaxNode)
      base = base.object as SyntaxNode
    }
    if (indices.length > 0) return this.element(node, base, indices, scopes)
    const path = this.path(node, scopes)
    const [root, group, name, ...more] = path ?? []
    if (root === 'Math' && name === undefined) {
      const value = (Math as unknown as Record<string, unknown>)[group]
      if (typeof value === 'number') return String(value)
    }
    if (root !== 'this' || more.length > 0 || name === undefined)
      throw this.refuse(node, 'a kernel sees this.thread.x, y and z, this.constants and its arguments')
    if (group === 'thread' && /^[xyz]$/.test(name)) return `this.thread.${name}`
    if (group !== 'constants')
      throw this.refuse(node, 'a kernel sees this.thread.x, y and z, this.constants and its arguments')
    const { constants } = this.surroundings
    if (constants && !constants.includes(name))
      throw this.refuse(
        node,
        `run was given ${constants.length ? `the constants ${constants.join(', ')}` : 'no constants'}`,
      )
    return `this.constants.${name}`
  }

  private element(
    node: SyntaxNode,
    base: SyntaxNode,
    indices: readonly SyntaxNode[],
    scopes: readonly Scope[],
  ): string {
    if (base.type !== 'Identifier') throw this.refuse(node, 'only tensors have places, tensor[z][y][x]')
    const { text, kind } = this.find(base, scopes)
    if (kind === 'number' || kind === 'alias') throw this.refuse(node, `'${base.name}' is no tensor`)
    if (kind === 'tensor' && indices.length !== 3)
      throw this.refuse(node, `a tensor has three axes, ${base.name}[z][y][x]: write 0 where there is one row or plane`)
    return `${text}[${this.operands(indices, scopes).join('][')}]`
  }

  /** The names of `a.b.c`, where aliases are what they stand for. */
  protected path(node: SyntaxNode, scopes: readonly Scope[]): string[] | undefined {
    if (node.type === 'ThisExpression') return ['this']
    if (node.type === 'Identifier') {
      const found = scopes.findLast(scope => scope.has(node.name as string))?.get(node.name as string)
      if (found) return found.kind === 'alias' ? found.text.split('.') : undefined
      return [node.name as string]
    }
    if (node.type !== 'MemberExpression') return undefined
    const object = this.path(node.object as SyntaxNode, scopes)
    const property = node.property as SyntaxNode
    const name = node.computed ? property.value : property.name
    return object && typeof name === 'string' ? [...object, name] : undefined
  }

  private call(node: SyntaxNode, scopes: readonly Scope[]): string {
    const args = node.arguments as SyntaxNode[]
    const [root, name] = this.path(node.callee as SyntaxNode, scopes) ?? []
    const helper = this.surroundings.helpers.get(calledName(node) ?? '')
    for (const arg of args)
      if (arg.type === 'Identifier' && this.known(arg, scopes)?.kind === 'tensor')
        throw this.refuse(node, `functions take numbers only, and '${arg.name}' is a tensor`)
    if (helper) return `${helper}(${this.operands(args, scopes).join(', ')})`
    if (root === 'Number' && name === undefined && args.length === 1) return this.number(args[0], scopes)
    if (root !== 'Math' || name === undefined) {
      const known = [...this.surroundings.helpers.keys()].join(', ')
      throw this.refuse(
        node,
        `no such function here: a kernel calls Math and the helpers given to gpuKernel${known && ` (${known})`}`,
      )
    }
    const count = Object.hasOwn(mathFunctions, name) ? mathFunctions[name] : undefined
    if (count === undefined)
      throw this.refuse(node, `not every device has Math.${name}; they have ${Object.keys(mathFunctions).join(', ')}`)
    const values = this.operands(args, scopes)
    const nested = (name === 'min' || name === 'max') && values.length > 0
    if (values.length !== count && !nested)
      throw this.refuse(node, `Math.${name} takes ${count === 1 ? 'one number' : `${count} numbers`}`)
    if (!nested) return `Math.${name}(${values.join(', ')})`
    return values.reduce((so, value) => `Math.${name}(${so}, ${value})`)
  }

  private known(node: SyntaxNode, scopes: readonly Scope[]): Variable | undefined {
    return scopes.findLast(scope => scope.has(node.name as string))?.get(node.name as string)
  }

  private unary(node: SyntaxNode, scopes: readonly Scope[]): string {
    const argument = node.argument as SyntaxNode
    switch (node.operator) {
      case '+':
        return this.number(argument, scopes)
      case '-':
        return `(-${this.number(argument, scopes)})`
      case '~':
        return `(~${this.number(argument, scopes)})`
      default:
        throw this.refuse(node, 'a kernel has numbers only')
    }
  }

  private binary(node: SyntaxNode, scopes: readonly Scope[]): string {
    const { operator } = node
    const [left, right] = [node.left as SyntaxNode, node.right as SyntaxNode]
    if (!/^(?:[-+*/%&|^]|\*\*|<<|>>>?)$/.test(operator as string)) throw this.refuse(node, 'a kernel has numbers only')
    if (operator === '/' && right.type === 'Literal' && right.value === 0)
      throw this.refuse(
        node,
        'shader languages have no infinity; the largest number is 3.4028234663852886e38, as an argument or as it is',
      )
    const [a, b] = this.operands([left, right], scopes)
    return arithmetic(operator as string, a, b)
  }

  /** `a && b` and `a || b` as numbers: one of them. */
  private chosen(node: SyntaxNode, scopes: readonly Scope[]): string {
    if (node.operator === '??') return this.number(node.left as SyntaxNode, scopes)
    const left = this.kept(this.number(node.left as SyntaxNode, scopes))
    const right = node.right as SyntaxNode
    if (changesSomething(right)) {
      const then = this.block(() => this.lines.push(`${left} = ${this.number(right, scopes)};`))
      this.lines.push(`if (${left} ${node.operator === '&&' ? '!==' : '==='} 0) ${then}`)
      return left
    }
    const value = this.number(right, scopes)
    return node.operator === '&&' ? `(${left} !== 0 ? ${value} : 0)` : `(${left} !== 0 ? ${left} : ${value})`
  }

  private conditional(node: SyntaxNode, scopes: readonly Scope[]): string {
    const [then, otherwise] = [node.consequent as SyntaxNode, node.alternate as SyntaxNode]
    const test = this.condition(node.test as SyntaxNode, scopes)
    if (!changesSomething(then) && !changesSomething(otherwise))
      return `(${test} ? ${this.number(then, scopes)} : ${this.number(otherwise, scopes)})`
    const result = this.temporary('0')
    const blocks = [then, otherwise].map(part =>
      this.block(() => this.lines.push(`${result} = ${this.number(part, scopes)};`)),
    )
    this.lines.push(`if (${test}) ${blocks[0]} else ${blocks[1]}`)
    return result
  }
}

/** gpu.js writes ** as pow in every language; Math.pow is the same, and can be read. */
function arithmetic(operator: string, left: string, right: string): string {
  return operator === '**' ? `Math.pow(${left}, ${right})` : `(${left} ${operator} ${right})`
}

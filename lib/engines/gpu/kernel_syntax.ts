import type { SyntaxNode } from './gpujs.js'

/** A kernel's text says something that not every device can do; whoever compiles it says which kernel. */
export class KernelRefusal extends Error {}

/** Functions of Math that every device computes, and how many arguments they take. */
export const mathFunctions: Readonly<Record<string, number>> = {
  ...{ abs: 1, sign: 1, floor: 1, ceil: 1, round: 1, trunc: 1, fround: 1, sqrt: 1, cbrt: 1, exp: 1, expm1: 1 },
  ...{ log: 1, log2: 1, log10: 1, log1p: 1, sin: 1, cos: 1, tan: 1, asin: 1, acos: 1, atan: 1, sinh: 1, cosh: 1 },
  ...{ tanh: 1, asinh: 1, acosh: 1, atanh: 1, atan2: 2, pow: 2, min: 2, max: 2 },
}

/** Of a node, for messages: its text in one line, not too long. */
export function excerpt(text: string, { start, end }: SyntaxNode): string {
  const line = text.slice(start, end).replace(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 57)}…` : line
}

/** Parts that were looked up before: every question about a text walks all of it. */
const known = new WeakMap<SyntaxNode, readonly SyntaxNode[]>()

/** The parts of a node in the order of the text. The name behind a dot and that of a function are no variables. */
export function partsOf(node: SyntaxNode): readonly SyntaxNode[] {
  let parts = known.get(node)
  if (!parts) known.set(node, (parts = findParts(node)))
  return parts
}

function findParts(node: SyntaxNode): SyntaxNode[] {
  const parts: SyntaxNode[] = []
  for (const [field, value] of Object.entries(node)) {
    if (typeof value !== 'object' || value === null || (field === nameField(node) && !node.computed)) continue
    for (const part of Array.isArray(value) ? value : [value])
      if (typeof part === 'object' && part !== null && 'type' in part) parts.push(part as SyntaxNode)
  }
  return parts.sort((a, b) => a.start - b.start)
}

/** The field of a node that holds a name and no variable, unless it is computed. */
function nameField({ type }: SyntaxNode): string | undefined {
  if (type === 'MemberExpression') return 'property'
  if (type === 'FunctionExpression') return 'id'
  return type === 'Property' ? 'key' : undefined
}

/** Whether a node or one of its parts is such a node. */
export function contains(node: SyntaxNode, is: (part: SyntaxNode) => boolean): boolean {
  return is(node) || partsOf(node).some(part => contains(part, is))
}

/** Whether evaluating it changes a variable. */
export const changesSomething = (node: SyntaxNode): boolean =>
  contains(node, ({ type }) => type === 'AssignmentExpression' || type === 'UpdateExpression')

/** The variable that an assignment or a `++` changes. */
export function changedName(node: SyntaxNode): string | undefined {
  const target =
    node.type === 'AssignmentExpression'
      ? (node.left as SyntaxNode)
      : node.type === 'UpdateExpression'
        ? (node.argument as SyntaxNode)
        : undefined
  return target?.type === 'Identifier' ? (target.name as string) : undefined
}

/** Whether a statement returns on every path through it. */
export function alwaysReturns(node: SyntaxNode): boolean {
  switch (node.type) {
    case 'ReturnStatement':
      return true
    case 'BlockStatement':
      return (node.body as SyntaxNode[]).some(alwaysReturns)
    case 'IfStatement':
      return (
        node.alternate != null &&
        alwaysReturns(node.consequent as SyntaxNode) &&
        alwaysReturns(node.alternate as SyntaxNode)
      )
    case 'SwitchStatement': {
      const cases = node.cases as SyntaxNode[]
      const bodies = cases.map(c => c.consequent as SyntaxNode[]).filter(body => body.length > 0)
      return cases.some(c => c.test === null) && bodies.every(body => body.some(alwaysReturns))
    }
    default:
      return false
  }
}

const comparisons = new Set(['<', '>', '<=', '>=', '==', '!=', '===', '!=='])
export const isComparison = (operator: unknown): boolean => comparisons.has(operator as string)

/** Whether a node is true or false; everything else is a number. Variables are numbers: see kernel_lowering.ts. */
export function isBoolean(node: SyntaxNode): boolean {
  switch (node.type) {
    case 'Literal':
      return typeof node.value === 'boolean'
    case 'UnaryExpression':
      return node.operator === '!'
    case 'BinaryExpression':
      return isComparison(node.operator)
    case 'LogicalExpression':
      return isBoolean(node.left as SyntaxNode) && isBoolean(node.right as SyntaxNode)
    case 'ConditionalExpression':
      return isBoolean(node.consequent as SyntaxNode) && isBoolean(node.alternate as SyntaxNode)
    case 'SequenceExpression':
      return isBoolean((node.expressions as SyntaxNode[]).at(-1)!)
    default:
      return false
  }
}

/** `!0` and `!1` are how minifiers write true and false. */
export function truthOf(node: SyntaxNode): boolean | undefined {
  if (node.type === 'Literal' && typeof node.value === 'boolean') return node.value
  if (node.type !== 'UnaryExpression' || node.operator !== '!') return undefined
  const { type, value } = node.argument as SyntaxNode
  return type === 'Literal' ? !value : undefined
}

/**
 * The function that a call names, if it is no part of Math: `f(x)`, or `(0, module.f)(x)`, which bundlers make of an
 * imported one.
 */
export function calledName(call: SyntaxNode): string | undefined {
  let callee = call.callee as SyntaxNode
  if (callee.type === 'SequenceExpression') callee = (callee.expressions as SyntaxNode[]).at(-1)!
  if (callee.type === 'Identifier') return callee.name as string
  const { object, property } = callee as unknown as { object?: SyntaxNode; property?: SyntaxNode }
  if (callee.type !== 'MemberExpression' || object?.type !== 'Identifier' || object.name === 'Math') return undefined
  return (callee.computed ? property!.value : property!.name) as string
}

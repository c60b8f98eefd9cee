import { FormatError } from '../errors.js'
import { type Node, nodeText, type Value } from './graph.js'

/**
 * The nodes, each behind those whose outputs it reads; those that stand so already stay where they are. A name that is
 * defined twice, one that nobody defines and a circle are FormatErrors.
 * @param given names that are there before the first node
 * @param outer names of the graphs around this one, which its own may hide
 */
export function inOrder(
  nodes: readonly Node[],
  given: readonly string[],
  outer: ReadonlySet<string>,
  outputs: readonly Value[],
  file: string,
): Node[] {
  const makers = makersOf(nodes, given, file)
  const isKnown = (name: string): boolean => makers.has(name) || outer.has(name)
  for (const node of nodes) {
    const unknown = node.inputs.find(name => name !== '' && !isKnown(name))
    if (unknown !== undefined)
      throw new FormatError(`${file}: ${nodeText(node)} reads '${unknown}', which no input, constant or node is called`)
  }
  const missing = outputs.find(({ name }) => !isKnown(name))
  const twice = outputs.find(({ name }, i) => outputs.findIndex(other => other.name === name) < i)
  if (twice) throw new FormatError(`${file}: two outputs are called '${twice.name}'`)
  if (missing) throw new FormatError(`${file}: nothing computes the output '${missing.name}'`)
  return sorted(nodes, makers, file)
}

/** Which node makes a value: undefined for what is given. */
function makersOf(nodes: readonly Node[], given: readonly string[], file: string): Map<string, Node | undefined> {
  const makers = new Map<string, Node | undefined>()
  const define = (name: string, node: Node | undefined): void => {
    if (makers.has(name))
      throw new FormatError(`${file}: '${name}' is defined twice${node ? `, by ${nodeText(node)} as well` : ''}`)
    makers.set(name, node)
  }
  for (const name of given) define(name, undefined)
  for (const node of nodes) for (const name of node.outputs) if (name !== '') define(name, node)
  return makers
}

function sorted(nodes: readonly Node[], makers: ReadonlyMap<string, Node | undefined>, file: string): Node[] {
  const order: Node[] = []
  const state = new Map<Node, 'open' | 'done'>()
  // without recursion: a chain may be as long as a file
  const open: { node: Node; next: number }[] = []
  const enter = (node: Node): void => {
    if (state.get(node) === 'done') return
    if (state.get(node) === 'open') throw new FormatError(`${file}: ${nodeText(node)} needs its own output`)
    state.set(node, 'open')
    open.push({ node, next: 0 })
  }
  for (const node of nodes) {
    enter(node)
    while (open.length) {
      const top = open[open.length - 1]
      if (top.next < top.node.inputs.length) {
        const maker = makers.get(top.node.inputs[top.next++])
        if (maker) enter(maker)
      } else {
        state.set(top.node, 'done')
        order.push(top.node)
        open.pop()
      }
    }
  }
  return order
}

import { describe, expect, test } from 'vitest'
import {
  centred,
  coloring,
  middleOf,
  neighbour,
  search,
  toDot,
  toMermaid,
  whole,
  zoom,
} from '../../../lib/studio/page/parts/graph_view.js'
import { inspect, lenet } from './fake/nets.js'

const graph = inspect({ net: lenet, stage: 'val' }).graph!
const node = (name: string) => graph.nodes.find(({ layer }) => layer === name)!

describe('a graph to look at', () => {
  test('search finds names, types and shapes', () => {
    expect(search(graph, 'CONV').map(({ layer }) => layer)).toEqual(['conv1', 'conv2'])
    expect(search(graph, '20x24').map(({ layer }) => layer)).toEqual(['conv1'])
    expect(search(graph, 'pooling 12').map(({ layer }) => layer)).toEqual(['pool1'])
    expect(search(graph, ' ')).toEqual([])
  })

  test("a line's words stand at its middle, also where it is straight", () => {
    expect(
      middleOf([
        [0, 0],
        [4, 2],
        [4, 8],
      ]),
    ).toEqual([4, 2])
    expect(
      middleOf([
        [0, 0],
        [0, 14],
      ]),
    ).toEqual([0, 7])
    expect(middleOf([])).toEqual([0, 0])
  })

  test('arrows go to the neighbour in that direction, or nowhere', () => {
    expect(neighbour(graph, node('conv1'), 'ArrowDown')?.layer).toBe('pool1')
    expect(neighbour(graph, node('conv1'), 'ArrowUp')?.layer).toBe('scale')
    expect(neighbour(graph, node('data'), 'ArrowUp')).toBeUndefined()
  })

  test('zooming keeps the point under the pointer, and stops where nothing can be seen', () => {
    const view = whole(graph)
    const at = { x: 100, y: 200 }
    const near = zoom(view, 0.5, at, graph)
    expect((at.x - near.x) / near.width).toBeCloseTo((at.x - view.x) / view.width, 12)
    expect(zoom(view, 1e-9, at, graph).width).toBe(80)
    expect(zoom(view, 1e9, at, graph).width).toBe((graph.width + 24) * 4)
  })

  test('a chosen layer comes into the middle', () => {
    const { x, y, width, height } = centred(whole(graph), node('ip1'), { width: 400, height: 300 })
    expect([x + width / 2, y + height / 2]).toEqual([node('ip1').x, node('ip1').y])
  })

  test('colours: one a type, or by the share of the largest', () => {
    const types = coloring(graph, 'type')
    expect(types.of(node('conv1'))).toBe(types.of(node('conv2')))
    expect(types.of(node('conv1'))).not.toBe(types.of(node('pool1')))
    const params = coloring(graph, 'params')
    expect(params.of(node('ip1'))).toBe(1)
    expect(params.of(node('relu1'))).toBe(0)
  })

  test('DOT and Mermaid name every layer and every edge', () => {
    expect(toDot(graph)).toContain('"conv1" -> "pool1" [label="64×20×24×24"]')
    expect(toMermaid(graph).split('\n')).toHaveLength(2 + graph.nodes.length + graph.edges.length)
  })
})

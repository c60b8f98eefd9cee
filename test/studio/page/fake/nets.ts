/** The text of LeNet, and what a look at a net answers: as the real one, with a plainer layout. */

import type { FormatError } from '../../../../lib/errors.js'
import { parseNet } from '../../../../lib/proto/text.js'
import type { Inspection, InspectRequest, LayerReport, Mark, NetGraph } from '../../../../lib/studio/api/index.js'

const layer = (name: string, type: string, bottom: string, top: string, more = ''): string =>
  `layer {\n  name: "${name}"\n  type: "${type}"\n${bottom
    .split(' ')
    .filter(Boolean)
    .map(blob => `  bottom: "${blob}"\n`)
    .join('')}${top
    .split(' ')
    .map(blob => `  top: "${blob}"\n`)
    .join('')}${more}}\n`

const weights = '    weight_filler { type: "xavier" }\n'

export const lenet = `name: "LeNet"
${[
  layer('data', 'Data', '', 'data label', '  data_param { batch_size: 64 }\n'),
  layer('scale', 'Power', 'data', 'scale', '  power_param { scale: 0.0125 }\n'),
  layer(
    'conv1',
    'Convolution',
    'scale',
    'conv1',
    `  convolution_param {\n    num_output: 20\n    kernel_size: 5\n${weights}  }\n`,
  ),
  layer('pool1', 'Pooling', 'conv1', 'pool1', '  pooling_param { pool: MAX kernel_size: 2 stride: 2 }\n'),
  layer(
    'conv2',
    'Convolution',
    'pool1',
    'conv2',
    `  convolution_param {\n    num_output: 50\n    kernel_size: 5\n${weights}  }\n`,
  ),
  layer('pool2', 'Pooling', 'conv2', 'pool2', '  pooling_param { pool: MAX kernel_size: 2 stride: 2 }\n'),
  layer('ip1', 'InnerProduct', 'pool2', 'ip1', `  inner_product_param {\n    num_output: 500\n${weights}  }\n`),
  layer('relu1', 'ReLU', 'ip1', 'ip1'),
  layer('ip2', 'InnerProduct', 'ip1', 'ip2', `  inner_product_param {\n    num_output: 10\n${weights}  }\n`),
  layer('accuracy', 'Accuracy', 'ip2 label', 'accuracy', '  include { phase: TEST }\n'),
  layer('loss', 'SoftmaxWithLoss', 'ip2 label', 'loss'),
].join('')}`

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  data: [64, 1, 28, 28],
  scale: [64, 1, 28, 28],
  blank: [64, 1, 28, 28],
  conv1: [64, 20, 24, 24],
  pool1: [64, 20, 12, 12],
  conv2: [64, 50, 8, 8],
  pool2: [64, 50, 4, 4],
  ip1: [64, 500],
  ip2: [64, 10],
  label: [64],
}
const PARAMS: Readonly<Record<string, number>> = { conv1: 520, conv2: 25_050, ip1: 400_500, ip2: 5010 }
const WORK: Readonly<Record<string, number>> = { conv1: 18_432_000, conv2: 102_400_000, ip1: 25_600_000, ip2: 320_000 }

export function inspect(request: InspectRequest): Inspection {
  const errors: FormatError[] = []
  const net = parseNet(request.net, { errors })
  const marks: Mark[] = errors.map(error => ({
    severity: 'error',
    line: error.line,
    column: error.column,
    length: error.length,
    message: error.message.replace(/^[^:]*:\d+: /, ''),
    suggestion: /did you mean '([^']+)'/.exec(error.message)?.[1],
  }))
  if (errors.length) return { marks }
  const lines = request.net.split('\n')
  const layers = (net.layer ?? []).filter(each => request.stage !== 'train' || each.type !== 'Accuracy')
  const names = new Set<string>()
  for (const each of layers) {
    for (const blob of each.bottom ?? [])
      if (!names.has(blob))
        marks.push({
          severity: 'error',
          line: lines.findIndex(line => line.includes(`bottom: "${blob}"`)) + 1,
          layer: each.name,
          message: `layer '${each.name}': no layer above makes the bottom '${blob}'`,
        })
    for (const blob of each.top ?? []) names.add(blob)
  }
  if (marks.length) return { marks }
  const shapeOf = (blob: string): readonly number[] =>
    SHAPES[blob] ?? (blob === 'loss' || blob === 'accuracy' ? [] : SHAPES.data)
  const owner = new Map<string, string>()
  const edges: NetGraph['edges'][number][] = []
  const place = new Map(
    layers.map((each, row) => [each.name ?? '', { x: each.type === 'Accuracy' ? 260 : 110, y: 26 + row * 74 }]),
  )
  for (const each of layers) {
    const to = place.get(each.name ?? '')!
    for (const blob of each.bottom ?? []) {
      const from = owner.get(blob)
      if (from === undefined) continue
      const start = place.get(from)!
      const aside = Math.abs(to.y - start.y) > 80 ? 1 : 0
      edges.push({
        from,
        to: each.name ?? '',
        blob,
        shape: shapeOf(blob),
        points: aside
          ? [
              [start.x + 50, start.y + 18],
              [start.x + 96, start.y + 50],
              [start.x + 96, to.y - 50],
              [to.x + 40, to.y - 20],
            ]
          : [
              [start.x, start.y + 18],
              [(start.x + to.x) / 2, (start.y + to.y) / 2],
              [to.x, to.y - 20],
            ],
      })
    }
    for (const blob of each.top ?? []) owner.set(blob, each.name ?? '')
  }
  const nodes = layers.map((each, row) => {
    const name = each.name ?? ''
    const tops = (each.top ?? []).map(blob => ({ blob, shape: shapeOf(blob) }))
    return {
      layer: name,
      type: each.type ?? '',
      ...place.get(name)!,
      width: 150,
      height: 36,
      line: lines.findIndex((line, at) => line === 'layer {' && lines[at + 1]?.includes(`"${name}"`)) + 1 || row + 1,
      bottoms: (each.bottom ?? []).map(blob => ({ blob, shape: shapeOf(blob) })),
      tops,
      fields:
        each.type === 'Convolution'
          ? [
              { field: 'num_output', value: String(each.convolution_param?.num_output), set: true },
              { field: 'kernel_size', value: String(each.convolution_param?.kernel_size), set: true },
              { field: 'stride', value: '1', set: false },
              { field: 'pad', value: '0', set: false },
            ]
          : [],
      params: PARAMS[name] ?? 0,
      memory: tops.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0),
      multiplyAdds: WORK[name] ?? 0,
    }
  })
  return {
    marks,
    graph: { width: 340, height: 26 + layers.length * 74, nodes, edges },
    totals: {
      params: nodes.reduce((sum, node) => sum + node.params, 0),
      memory: nodes.reduce((sum, node) => sum + node.memory, 0),
      multiplyAdds: nodes.reduce((sum, node) => sum + node.multiplyAdds, 0),
    },
  }
}

/** A check that knows classes by their name alone. */
export function checkLayers(layers: Readonly<Record<string, string>>): LayerReport {
  const marks: LayerReport['marks'][number][] = []
  const found: LayerReport['layers'][number][] = []
  for (const [file, text] of Object.entries(layers)) {
    const at = text.split('\n').findIndex(line => line.includes('=>=>'))
    if (at >= 0) marks.push({ file, severity: 'error', line: at + 1, message: 'an expression was expected' })
    for (const [, type] of text.matchAll(/export class (\w+) extends Layer/g))
      found.push({
        type,
        file,
        derivatives: 14_400,
        verdict: text.includes('on purpose') ? 'on purpose' : 'passed',
        message: '',
      })
  }
  return { marks, layers: marks.length ? [] : found }
}

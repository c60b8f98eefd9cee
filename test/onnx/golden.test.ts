/** Every recorded layer that has an ONNX form: written, read again, and run by onnxruntime where it is installed. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { exportNet } from '../../lib/onnx/export.js'
import { countOf, type Graph } from '../../lib/onnx/graph.js'
import { exporters } from '../../lib/onnx/layers/index.js'
import { readGraph } from '../../lib/onnx/read.js'
import { writeGraph } from '../../lib/onnx/write.js'
import { parseNet } from '../../lib/proto/text.js'
import { expectClose, Golden, goldenPath, recordedLayers } from '../golden.js'
import type { Case } from '../layers/golden_case.js'
import { isPending } from '../pending.js'
import { type Arrays, ortVersion, runOnnx } from './onnxruntime.js'

/** Cases of types that are written, which are not: a part of what the error says. */
const REFUSED: Readonly<Record<string, string>> = {
  'Im2col 3d': 'columns of 3 spatial axes have no ONNX form',
  'DetectionOutput ssd_like': 'its batch is 2',
  'DetectionOutput variance_in_target': 'its batch is 2',
  'DetectionOutput location_per_class': 'its batch is 2',
  'DetectionOutput background_2': 'background_label_id: 2 has no ONNX form',
  'DetectionOutput nothing_found': 'its batch is 3',
  'DetectionOutput one_image_empty': 'its batch is 3',
  'DetectionOutput adaptive_nms_eta': 'nms_param.eta: 0.8',
  ROIAlign: 'without sampling_ratio',
}

const files = async (path: string) => new Uint8Array(readFileSync(goldenPath(path)))

/** Right ones, those of them in every bit: of Caffe, of forks. */
const counts = { caffe: [0, 0], forks: [0, 0] }

for (const file of recordedLayers()) {
  const golden = new Golden<{ layer_type: string; cases: Case[] }>(file)
  const { layer_type: type, cases } = golden.json
  if (isPending(file, type)) continue
  describe(file.split('/').pop()!, { tags: 'long' }, () => {
    for (const c of cases)
      test(c.name, async () => {
        using net = await netOf(golden, c)
        const why =
          REFUSED[`${type} ${c.name}`] ??
          REFUSED[type] ??
          (Object.hasOwn(exporters, type) || type === 'Input' ? undefined : 'it has no ONNX form')
        if (why !== undefined) {
          expect(() => exportNet(net.built)).toThrow(why)
          return
        }
        const graph = exportNet(net.built)
        const bytes = writeGraph(graph)
        expect(await readGraph(bytes)).toEqual(graph)
        const { ops } = exporters[type] ?? { ops: [] }
        const own = graph.nodes.map(({ op }) => op)
        expect(own.filter(op => !ops.includes(op) && !['Identity', 'Mul'].includes(op))).toEqual([])
        if (ortVersion === undefined || !graph.nodes.length) return
        const exact = compare(golden, c, await run(golden, c, graph, bytes), graph)
        const count = counts[file.includes('forks') ? 'forks' : 'caffe']
        count[0]++
        if (exact) count[1]++
      })
  })
}

/** Behind all of them; where some are left out, it is as well. */
test.skipIf(ortVersion === undefined)(`onnxruntime ${ortVersion} gives Caffe's values`, { tags: 'long' }, () => {
  const text = Object.entries(counts).map(([whose, [right, same]]) => `${whose} ${right} right, ${same} bit for bit`)
  console.log(`onnxruntime ${ortVersion}: ${text.join('; ')}`)
  expect(counts.caffe[0]).toBeGreaterThanOrEqual(341)
})

async function netOf(golden: Golden<unknown>, c: Case): Promise<Net> {
  const net = await Net.create(parseNet(c.prototxt), { phase: c.phase, engine: 'js', seed: 1701, files })
  const params = net.params.layer ?? []
  if (!c.params_from_filler) for (const [i, p] of c.params.entries()) params[i].dataArray.set(golden.array(p))
  for (const bottom of c.bottoms) net.blobs[bottom.input ?? bottom.name].dataArray.set(golden.array(bottom))
  return net
}

/** As many passes as the case has, states going on from one to the next. */
async function run(golden: Golden<unknown>, c: Case, graph: Graph, bytes: Uint8Array): Promise<Arrays> {
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, shape }) => {
      const bottom = c.bottoms.find(item => (item.input ?? item.name) === name)
      const data = bottom ? golden.array(bottom) : new Float32Array(countOf(shape as number[]))
      return [name, { data, shape: bottom?.shape ?? (shape as number[]) }]
    }),
  )
  let outputs = await runOnnx(bytes, feeds)
  for (let i = 1; i < (c.forwards ?? 1); i++) {
    for (const name of Object.keys(feeds)) {
      const state = outputs[name.replace(/_in$/, '_out')]
      if (name.endsWith('_in') && state) feeds[name] = state as { data: Float32Array; shape: number[] }
    }
    outputs = await runOnnx(bytes, feeds)
  }
  return outputs
}

/** Whether every bit is that of Caffe. */
function compare(golden: Golden<unknown>, c: Case, outputs: Arrays, graph: Graph): boolean {
  let exact = true
  for (const top of c.tops) {
    if (c.quirk?.arrays.some(name => `tops ${top.name}`.startsWith(name))) continue
    const name = graph.outputs.some(output => output.name === top.name) ? top.name : `${top.name}_out`
    const got = outputs[name]
    const expected = golden.array(top)
    const empty = expected.length === 7 && expected[1] === -1
    // the one row of a DetectionOutput that found nothing
    if (empty && got.data.length === 0) continue
    expect(got.shape).toEqual(top.shape)
    expectClose(got.data, expected, c.rtol, c.atol, `${c.name} ${top.name}`)
    exact &&= got.data.every((value, i) => Object.is(value, expected[i]))
  }
  return exact
}

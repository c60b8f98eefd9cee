/** Caffe's `debug_info`: the mean absolute value of every blob and param, layer by layer, as lines of the log. */
import type { Blob } from '../blob.js'
import { g6 } from '../system/format.js'
import type { BuiltNet, NetNode } from './node.js'

function asum(values: Float32Array): number {
  let sum = 0
  for (const value of values) sum += Math.abs(value)
  return sum
}

const mean = (values: Float32Array): string => g6(values.length ? asum(values) / values.length : 0)

async function dataOf(blob: Blob): Promise<Float32Array> {
  await blob.memory.data.pull()
  return blob.dataArray
}

async function diffOf(blob: Blob): Promise<Float32Array> {
  await blob.memory.diff.pull()
  return blob.diffArray
}

/** After a layer's forward: its tops and params. */
export async function debugForward(net: BuiltNet, node: NetNode): Promise<void> {
  const { log } = net.context
  for (const top of node.top)
    log(`    [Forward] Layer ${node.key}, top blob ${top.name} data: ${mean(await dataOf(top))}`)
  for (const [i, blob] of node.layer.blobs.entries())
    log(`    [Forward] Layer ${node.key}, param blob ${paramName(node, i)} data: ${mean(await dataOf(blob))}`)
}

/** After a layer's backward: the gradients it made. */
export async function debugBackward(net: BuiltNet, node: NetNode): Promise<void> {
  const { log } = net.context
  for (const [i, bottom] of node.bottom.entries())
    if (node.bottomNeedsBackward[i])
      log(`    [Backward] Layer ${node.key}, bottom blob ${bottom.name} diff: ${mean(await diffOf(bottom))}`)
  for (const [i, blob] of node.layer.blobs.entries())
    if (node.layer.paramPropagateDown[i])
      log(`    [Backward] Layer ${node.key}, param blob ${paramName(node, i)} diff: ${mean(await diffOf(blob))}`)
}

/** After a whole backward pass: L1 and L2 norms over all params. */
export async function debugNorms(net: BuiltNet): Promise<void> {
  let [l1, l2, d1, d2] = [0, 0, 0, 0]
  for (const { blob } of net.learnable) {
    const data = await dataOf(blob)
    const diff = await diffOf(blob)
    l1 += asum(data)
    d1 += asum(diff)
    for (let i = 0; i < data.length; i++) {
      l2 += data[i] * data[i]
      d2 += diff[i] * diff[i]
    }
  }
  net.context.log(
    `    [Backward] All net params (data, diff): L1 norm = (${g6(l1)}, ${g6(d1)}); L2 norm = (${g6(Math.sqrt(l2))}, ${g6(Math.sqrt(d2))})`,
  )
}

const paramName = (node: NetNode, i: number): string => node.layer.param.param?.[i]?.name || String(i)

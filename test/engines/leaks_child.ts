/**
 * Makes nets and forgets them; prints what is in use of the shared memory, and by the process, after the first ones and
 * at the end.
 */
import type { WasmHeap } from '../../lib/engines/wasm/allocator.js'
import { createWasmEngine } from '../../lib/engines/wasm.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'

/** Quick to make and to run, and large in memory. */
const description = parseNet(`
  layer { name: "data" type: "Input" top: "data" top: "label" input_param { shape { dim: 8 dim: 1 dim: 64 dim: 64 } shape { dim: 8 } } }
  layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 8 kernel_size: 3 weight_filler { type: "xavier" } } }
  layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
  layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 4 stride: 4 } }
  layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }`)
const count = Number(process.argv[2])
const heap = (await createWasmEngine({ threads: 2 })).heap as WasmHeap
const used = () => heap.memory.buffer.byteLength - heap.free

async function forget(): Promise<number> {
  const start = used()
  const net = await Net.create(description, { engine: 'wasm', threads: 2, seed: 1, phase: 'TRAIN' })
  for (const name of net.inputs) net.blobs[name].dataArray.fill(1)
  await net.forward()
  await net.backward()
  return used() - start
}

/** Finalizers run between macrotasks, some time after the collection. */
async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc!()
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

let net = 0
for (let i = 0; i < 10; i++) net = Math.max(net, await forget())
await collect()
const before = used()
const residentBefore = process.memoryUsage.rss()
for (let i = 0; i < count; i++) {
  await forget()
  if (i % 10 === 9) await collect()
}
await collect()
console.log(JSON.stringify({ net, before, after: used(), residentBefore, residentAfter: process.memoryUsage.rss() }))

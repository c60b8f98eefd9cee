/** Makes nets and forgets them; prints what is in use of the shared memory, and by the process, after the first ones and at the end. */
import type { WasmHeap } from '../../lib/engines/wasm/allocator.js'
import { createWasmEngine } from '../../lib/engines/wasm.js'
import { Net } from '../../lib/net.js'
import { parseSolver } from '../../lib/proto/text.js'
import { lenet } from './lenet.js'

const count = Number(process.argv[2])
const heap = (await createWasmEngine({ threads: 2 })).heap as WasmHeap
const used = () => heap.memory.buffer.byteLength - heap.free

async function forget(): Promise<number> {
  const start = used()
  const net = await Net.create(parseSolver(lenet(8)).net_param!, { engine: 'wasm', threads: 2, seed: 1, phase: 'TRAIN' })
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
  if (i % 5 === 4) await collect()
}
await collect()
console.log(JSON.stringify({ net, before, after: used(), residentBefore, residentAfter: process.memoryUsage.rss() }))

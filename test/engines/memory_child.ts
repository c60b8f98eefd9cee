/**
 * One pass forward and backward of the net on standard input; prints what it has taken of the heap, and what its plan
 * says.
 */
import { readFileSync } from 'node:fs'
import { createEngine } from '../../lib/engines/index.js'
import type { WasmHeap } from '../../lib/engines/wasm/allocator.js'
import type { NetParameter } from '../../lib/generated/caffe.js'
import { Net } from '../../lib/net.js'

const [engine, threads] = [process.argv[2], Number(process.argv[3])]
const heap = (await createEngine(engine, { threads })).heap as WasmHeap
const used = () => heap.memory.buffer.byteLength - heap.free
const before = used()
const net = await Net.create(JSON.parse(readFileSync(0, 'utf8')) as NetParameter, {
  engine,
  threads,
  phase: 'TRAIN',
  seed: 1,
})
const plan = net.memory()
for (const name of net.inputs) net.blobs[name].dataArray.fill(1)
await net.forward()
await net.backward()
console.log(JSON.stringify({ found: used() - before, plan }))

/**
 * One net after the other on two threads, each with a larger batch: the memory grows between passes that the threads
 * are used to.
 */
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'

const text = (batch: number) => `
  layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 32 dim: ${batch} dim: 256 } } }
  layer { name: "h" type: "InnerProduct" bottom: "x" top: "h" inner_product_param { num_output: 256 axis: 2 weight_filler { type: "xavier" } } }
  layer { name: "steps" type: "Slice" bottom: "h" top: "a" top: "b" slice_param { axis: 0 slice_point: 31 } }
  layer { name: "rest" type: "Silence" bottom: "a" }
  layer { name: "y" type: "InnerProduct" bottom: "b" top: "y" inner_product_param { num_output: 10 axis: 2 weight_filler { type: "xavier" } } }`

for (const batch of [1, 16, 32, 64, 128]) {
  const net = await Net.create(parseNet(text(batch)), { engine: 'wasm', threads: 2, seed: 1 })
  net.blobs.x.dataArray.fill(1)
  // until the compiler has made fast code of the kernels: that is when threads looked at the old size
  for (const begun = performance.now(); performance.now() - begun < 300; ) await net.forward()
}
console.log('done')
process.exit(0)

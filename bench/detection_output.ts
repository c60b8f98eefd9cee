/**
 * Milliseconds of a forward pass of DetectionOutput with the sizes of SSD300: 8,732 priors, 21 classes.
 *
 *   npx tsx bench/detection_output.ts
 */
import { Net, parseNet } from '../lib/index.js'
import { median } from './protocol.js'

const PRIORS = 8732
const CLASSES = 21
const PASSES = 50

/** Random numbers from 0 to 1, the same in every run. */
function* numbers() {
  let state = 1
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield state / 2 ** 32
  }
}
const source = numbers()
const random = () => source.next().value as number

const net = await Net.create(
  parseNet(`
    layer { name: "loc" type: "Input" top: "loc" input_param { shape { dim: 1 dim: ${4 * PRIORS} } } }
    layer { name: "conf" type: "Input" top: "conf" input_param { shape { dim: 1 dim: ${CLASSES * PRIORS} } } }
    layer { name: "prior" type: "Input" top: "prior" input_param { shape { dim: 1 dim: 2 dim: ${4 * PRIORS} } } }
    layer { name: "out" type: "DetectionOutput" bottom: "loc" bottom: "conf" bottom: "prior" top: "out"
      detection_output_param { num_classes: ${CLASSES} code_type: CENTER_SIZE confidence_threshold: 0.01 keep_top_k: 200
        nms_param { nms_threshold: 0.45 top_k: 400 } } }`),
  { phase: 'TEST', engine: 'wasm', threads: 1 },
)

const prior = new Float32Array(8 * PRIORS)
for (let k = 0; k < 4 * PRIORS; k += 4) {
  const [x, y, width, height] = [random(), random(), 0.05 + 0.3 * random(), 0.05 + 0.3 * random()]
  prior.set([x - width / 2, y - height / 2, x + width / 2, y + height / 2], k)
}
for (let k = 4 * PRIORS; k < prior.length; k++) prior[k] = k % 4 < 2 ? 0.1 : 0.2
const loc = Float32Array.from({ length: 4 * PRIORS }, () => random() - 0.5)

for (const [what, share] of [
  ['some hundreds of scores above the threshold', 0.002],
  ['one in twenty', 0.05],
  ['all', 1],
] as const) {
  const conf = Float32Array.from({ length: CLASSES * PRIORS }, () =>
    random() < share ? 0.011 + 0.98 * random() : 0.009 * random(),
  )
  const times: number[] = []
  for (let i = 0; i < PASSES; i++) {
    const start = performance.now()
    await net.forward({ loc, conf, prior })
    times.push(performance.now() - start)
  }
  const above = conf.reduce((count, value) => count + (value > 0.01 ? 1 : 0), 0)
  console.log(`${what} (${above}): ${median(times).toFixed(2)} ms, ${net.blobs.out.dim(2)} boxes`)
}
net.dispose()

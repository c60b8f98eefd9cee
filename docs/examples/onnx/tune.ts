/** A model of somebody else learns three kinds of marks: npx tsx docs/examples/onnx/tune.ts */
import { mkdir, readFile } from 'node:fs/promises'
import { Net, readOnnx } from 'ristretto'
import { prepare, share } from './learn.js'
import { pictures } from './pictures.js'

// a stand-in for the model that you have: a net that reads digits, as an ONNX file
await mkdir('examples-output/onnx', { recursive: true })
const theirs = 'examples-output/onnx/theirs.onnx'
const digits = await Net.load('models/digits/digits.zip')
await digits.save(theirs)

// what is it?
const { net, report } = await readOnnx(theirs)
console.log(net.layer?.map(({ name, type }) => `${name} (${type})`).join(', '))
console.log('layers that other Caffes lack:', report.ownLayers.join(', ') || 'none')

// teach it
const solver = await prepare(await readFile(theirs), pictures(300))
const unseen = pictures(90, 1000)
console.log('right before:', (await share(solver, unseen)) > 0.9 ? 'most' : 'few')
await solver.step(60)
console.log('right after:', (await share(solver, unseen)) > 0.9 ? 'most' : 'few')

// and back, for whatever ran their model
await solver.net.save('examples-output/onnx/ours.onnx')
const ours = await Net.create('examples-output/onnx/ours.onnx')
console.log(ours.inputs, ours.outputs, ours.blobs[ours.outputs[0]].shape)

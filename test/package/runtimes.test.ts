import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { consumer, type Outcome, run, runModule, runtimes } from './helpers.js'

/** Everything by its default: engine, threads, files. */
const smoke = `
import { createSolver, Net, parseNet } from 'ristretto'
const net = parseNet(\`
  layer { name: "data" type: "Input" top: "data" top: "label" input_param { shape { dim: 16 dim: 1 dim: 12 dim: 12 } shape { dim: 16 } } }
  layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
          convolution_param { num_output: 8 kernel_size: 3 weight_filler { type: "xavier" } } }
  layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
  layer { name: "relu" type: "ReLU" bottom: "pool" top: "pool" }
  layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }\`)
const data = Float32Array.from({ length: 16 * 144 }, (_, i) => Math.sin(i * (i < 8 * 144 ? 0.7 : 1.9)))
const label = Float32Array.from({ length: 16 }, (_, i) => Number(i >= 8))
const first = await Net.create(net, { seed: 3 })
const losses = [(await first.forward({ data, label })).loss.get()]
const solver = await createSolver({ net_param: net, base_lr: 0.01, lr_policy: 'fixed', momentum: 0.9, max_iter: 10, random_seed: 3 })
solver.net.feed('data', data)
solver.net.feed('label', label)
for (let i = 0; i < 10; i++) {
  await solver.step(1)
  losses.push(await solver.loss())
}
const file = 'smoke_' + process.argv[2] + '.caffemodel'
await solver.net.save(file)
const copy = await Net.create(net, { phase: 'TEST', weights: file })
losses.push((await copy.forward({ data, label })).loss.get())
// a batch that a thread of its own reads
const digits = await Net.create(parseNet('layer { name: "digits" type: "Data" top: "digits" top: "label" data_param { source: "mnist_lmdb" backend: LMDB batch_size: 1500 } }'))
await digits.forward()
const pixels = digits.blobs['digits'].dataArray.reduce((sum, value) => sum + value, 0)
digits.dispose()
const { name, threads } = first.engine
console.log(JSON.stringify({ name, threads: threads > 1, pixels, losses }))
`

interface Report {
  name: string
  threads: boolean
  pixels: number
  losses: number[]
}

describe('the installed package on other runtimes', () => {
  cpSync(join(import.meta.dirname, '../golden/io/mnist_200_lmdb'), join(consumer, 'mnist_lmdb'), { recursive: true })
  const file = 'smoke.mjs'
  const reportOf = ({ code, out, err }: Outcome): Report => {
    expect({ code, err }).toEqual({ code: 0, err: '' })
    return JSON.parse(out) as Report
  }
  const expected = reportOf(runModule(file, smoke))

  it('learns on Node, with which the others are compared', () => {
    expect(expected.name).toBe('wasm')
    expect(expected.losses).toHaveLength(12)
    expect(expected.losses[10]).toBeLessThan(0.1 * expected.losses[0])
    expect(expected.pixels).toBeGreaterThan(0)
  })

  it.for(Object.entries(runtimes))('%s gives the same, by every default', ([name, runtime], { skip }) => {
    const { command, flags } = runtime()
    if (command === undefined) return skip(`no ${name} for this machine`)
    const { losses, ...rest } = reportOf(run(command, [...flags, file, name]))
    const { losses: nodes, ...same } = expected
    // pixels are whole numbers, losses come from engines whose Math differs in the last bit
    expect(rest).toEqual(same)
    losses.forEach((loss, i) => expect(Math.abs(loss - nodes[i])).toBeLessThan(1e-5 * (1 + nodes[i])))
  })
})

import { expect, test } from 'vitest'
import type { GpuEngine } from '../../lib/engines/gpu.js'
import { createEngine } from '../../lib/engines/index.js'
import { createSolver, Net, parseNet, parseSolver } from '../../lib/index.js'

const NET = `layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 3 }
    data_filler { type: "constant" value: 1 } } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 } }
  layer { name: "act" type: "Sigmoid" bottom: "y" top: "z" }
  layer { name: "l" type: "Reduction" bottom: "z" top: "l" loss_weight: 1 }`

/** An engine on which kernels of these names fail, and which forgets what it has compiled. */
async function failing(name: RegExp): Promise<{ engine: GpuEngine; mend: () => void }> {
  const engine = (await createEngine('gpu:cpu')) as GpuEngine
  const { backend } = engine.gpu
  const { compile } = backend
  backend.compile = (kernel, ...rest) => {
    if (name.test(kernel.name)) throw new Error('out of registers')
    return compile(kernel, ...rest)
  }
  const mend = () => {
    backend.compile = compile
  }
  return { engine, mend }
}

test('what fails on a device names engine, layer and kernel, forward, backward and in an update', async () => {
  const { engine, mend } = await failing(/^sigmoid$/i)
  try {
    const net = await Net.create(parseNet(NET), { engine, phase: 'TRAIN', seed: 1 })
    await expect(net.forward()).rejects.toThrow(
      /^engine gpu:cpu: layer 'act' \(Sigmoid\): kernel 'sigmoid': out of registers/i,
    )
    net.dispose()
  } finally {
    mend()
  }
  const later = await failing(/update|sgd/i)
  try {
    const solver = await createSolver(
      { ...parseSolver('base_lr: 0.1 lr_policy: "fixed" momentum: 0.9'), net_param: parseNet(NET) },
      { engine: later.engine, seed: 1 },
    )
    await expect(solver.step(1)).rejects.toThrow(
      /^engine gpu:cpu: layer 'ip' \(InnerProduct\): kernel '[^']*': out of registers/,
    )
    solver.dispose()
  } finally {
    later.mend()
  }
})

test('the log tells that kernels are compiled, before the first values come', async () => {
  const lines: string[] = []
  // sizes that nothing else has
  const param = parseNet(NET.replace('dim: 2 dim: 3', 'dim: 5 dim: 7'))
  const net = await Net.create(param, { engine: 'gpu:cpu', log: line => lines.push(line) })
  await new Promise(resolve => setTimeout(resolve, 1100))
  await net.forward()
  expect(lines[0]).toMatch(/^gpu:cpu: compiling kernels for layer '\w+' \(\w+\), \d+ so far; each is compiled once/)
  const told = lines.length
  await net.forward()
  expect(lines).toHaveLength(told)
  net.dispose()
})

import { describe, expect, test } from 'vitest'
import { GpuBlankSquareLayer } from '../../docs/examples/custom-layer/gpu/blank_square.js'
import { GpuEuclideanLossLayer } from '../../docs/examples/custom-layer/gpu/euclidean_loss.js'
import { GpuOneHotLayer } from '../../docs/examples/custom-layer/gpu/one_hot.js'
import { OneHotLayer } from '../../docs/examples/custom-layer/one_hot.js'
import type { GpuEngine } from '../../lib/engines/gpu.js'
import { EngineError } from '../../lib/errors.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { Net, parseNet, registerLayerModule, SGDSolver } from '../../lib/index.js'
import { Layer } from '../../lib/layer.js'
import { checkLayer } from '../../lib/testing.js'
import { expectClose, Golden, goldenPath } from '../golden.js'
import { shapesOf } from '../shapes.js'

describe.each(['wasm', 'gpu:webasm', 'gpu:cpu'])('layers with kernels of their own, on %s', engine => {
  test('one-hot', async () => {
    const report = await checkLayer(GpuOneHotLayer, {
      bottoms: [{ shape: [5], labels: 7 }, [5, 7]],
      engine,
      backward: false,
    })
    expect(report.engine).toBe(engine)
  })

  test('Euclidean loss', async () => {
    const report = await checkLayer(GpuEuclideanLossLayer, {
      bottoms: shapesOf('5×3 5×3'),
      engine,
    })
    expect(report.engine).toBe(engine)
    expect(report.gradient?.compared).toBe(30)
  })

  test('blank square', async () => {
    const report = await checkLayer(GpuBlankSquareLayer, {
      bottoms: [[2, 3, 5, 7]],
      engine,
      backward: false,
      inPlace: true,
    })
    expect(report.engine).toBe(engine)
  })
})

test('LeNet with one-hot labels and the Euclidean loss stays on the device and gives the recorded losses', async () => {
  registerLayerModule('onehot_layer', { label2one_hot: GpuOneHotLayer })
  registerLayerModule('euclid_layer', { EuclideanLossLayer: GpuEuclideanLossLayer })
  const { json } = new Golden<{ losses: number[]; loss_rtol: number; loss_atol: number }>(
    'walkthroughs/onehot_euclid/onehot_euclid',
  )
  const path = (file: string) => goldenPath(`walkthroughs/onehot_euclid/${file}`)
  const solver = await SGDSolver.create(path('solver.prototxt'), {
    engine: 'gpu:webasm',
    weights: path('initial.caffemodel'),
    seed: 1,
  })
  for (let i = 0; i < 3; i++) {
    await solver.step(1)
    expectClose([await solver.loss()], [json.losses[i]], json.loss_rtol, json.loss_atol, `loss of iteration ${i}`)
  }
  const { traffic } = solver.net.engine as GpuEngine
  const { downloads } = traffic
  await solver.step(1)
  expect(traffic.downloads).toBe(downloads)
  solver.dispose()
}, 60_000)

test('a layer without kernels runs on the host in between, and the net moves its values', async () => {
  registerLayerModule('onehot_layer', { label2one_hot: OneHotLayer })
  const net = await Net.create(
    parseNet(`
      layer { name: "in" type: "Input" top: "label" top: "x" input_param { shape { dim: 2 } shape { dim: 2 dim: 3 } } }
      layer { name: "double" type: "Power" bottom: "x" top: "y" power_param { scale: 2 } }
      layer { name: "hot" type: "Python" bottom: "label" bottom: "y" top: "hot" python_param { module: "onehot_layer" layer: "label2one_hot" } }
      layer { name: "sum" type: "Eltwise" bottom: "hot" bottom: "y" top: "sum" }`),
    { engine: 'gpu:webasm' },
  )
  expect(net.layers.map(layer => layer.engine.name)).toEqual([
    ...['gpu:webasm', 'gpu:webasm', 'gpu:webasm'],
    ...['wasm', 'gpu:webasm'],
  ])
  const { sum } = await net.forward({ label: [2, 0], x: [1, 2, 3, 4, 5, 6] })
  expect([...sum.data]).toEqual([2, 4, 7, 9, 10, 12])
  const table = net.explain().split('\n')
  expect(table[0]).toBe("net '' on gpu:webasm (gpu.js on WebAssembly, no device)")
  expect(table.find(line => line.startsWith('hot'))).toMatch(
    /^hot +Python +wasm +24 +24 +plain host code: it names no kernels$/,
  )
  expect(table.find(line => line.startsWith('sum'))).toMatch(
    /^sum +Eltwise +gpu:webasm +0 +0 +the device has all its kernels$/,
  )
  net.dispose()
})

test('run outside a device, and a kernel that has no source, are refused', () => {
  class Method {
    body(this: unknown, x: Tensor): number {
      return x[0][0][0]
    }
  }
  expect(() => gpuKernel('method', new Method().body)).toThrow(EngineError)
  expect(gpuKernel('arrow', (x: Tensor, a: number) => a * x[0][0][0]).source({})).toMatch(
    /^function \(x, a\) \{ return .*\}$/,
  )
  class Lost extends Layer {
    reshape(): void {}
    forward(): void {
      this.run(
        gpuKernel('one', () => 1),
        [],
        this.blobs[0].memory.data,
      )
    }
  }
  expect(Lost.gpu).toEqual([])
})

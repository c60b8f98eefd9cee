import { SGDSolver } from '../../lib/index.js'

const net = {
  name: 'line',
  layer: [
    { name: 'x', type: 'DummyData', top: ['x', 't'], dummy_data_param: { shape: [{ dim: [2, 3] }, { dim: [2, 1] }] } },
    { name: 'y', type: 'InnerProduct', bottom: ['x'], top: ['y'], inner_product_param: { num_output: 1 } },
    { name: 'loss', type: 'EuclideanLoss', bottom: ['y', 't'], top: ['loss'] },
  ],
}
/** The engine that a solver with these fields runs on, and what it says of solver_mode. */
export const make = async (extra: object, options = {}) => {
  const lines: string[] = []
  const solver = await SGDSolver.create(
    { net_param: net, base_lr: 0.1, lr_policy: 'fixed', random_seed: 1, ...extra },
    { log: line => lines.push(line), threads: 1, ...options },
  )
  return { engine: solver.engine.name, notices: lines.filter(line => line.includes('solver_mode')) }
}

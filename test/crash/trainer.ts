import { createSolver, parseSolver, type Solver, type SolverOptions } from '../../lib/index.js'

/** Random data, dropout and momentum, so that a run goes on bit for bit only if everything was saved. */
const net = `
  layer { name: "data" type: "DummyData" top: "data" top: "label"
    dummy_data_param { shape { dim: 4 dim: 300 } shape { dim: 4 } data_filler { type: "gaussian" } data_filler { type: "constant" value: 3 } } }
  layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1" inner_product_param { num_output: 100 weight_filler { type: "xavier" } } }
  layer { name: "drop" type: "Dropout" bottom: "ip1" top: "ip1" }
  layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }`

/** A solver of that net that saves after every iteration, if there is a prefix to save under. */
export function trainer(prefix: string | undefined, options: SolverOptions = {}): Promise<Solver> {
  const text = `type: "Adam" base_lr: 0.001 lr_policy: "fixed" random_seed: 7 snapshot: ${prefix ? 1 : 0} net_param { ${net} }`
  return createSolver({ ...parseSolver(text), snapshot_prefix: prefix }, { engine: 'js', ...options })
}

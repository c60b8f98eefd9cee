/** Which nets a solver describes, and what their outputs say. */
import { NetError } from '../errors.js'
import type { NetParameter, NetState, SolverParameter } from '../generated/caffe.js'
import type { Net } from '../net.js'
import type { OutputValue } from './events.js'

export const stateOptions = (state: NetState | undefined) => ({ level: state?.level, stages: state?.stage })

/** The one train net that a solver names. */
export function trainNetOf(param: SolverParameter): string | NetParameter {
  const given = [param.train_net_param, param.train_net, param.net_param, param.net].filter(net => net !== undefined)
  if (given.length !== 1)
    throw new NetError(
      `solver: exactly one of net, net_param, train_net, train_net_param must be given, it has ${given.length}`,
    )
  return given[0]
}

/** Test nets in order: test_net_param, test_net, then the generic net once for every test_iter that is left. */
export function testNetsOf(param: SolverParameter): (string | NetParameter)[] {
  const tests: (string | NetParameter)[] = [...(param.test_net_param ?? []), ...(param.test_net ?? [])]
  const generic = param.net_param ?? param.net
  const counts = param.test_iter?.length ?? 0
  if (generic === undefined ? counts !== tests.length : counts < tests.length)
    throw new NetError(
      `solver: test_iter is given ${counts} times for ${tests.length} test nets: give it once per test net`,
    )
  while (tests.length < counts) tests.push(generic!)
  if (param.test_state?.length && param.test_state.length !== tests.length)
    throw new NetError(`solver: test_state is given ${param.test_state.length} times for ${tests.length} test nets`)
  if (tests.length && !((param.test_interval ?? 0) > 0))
    throw new NetError('solver: it has test nets, so test_interval must be positive')
  return tests
}

/** Every value of every output, with the name and loss weight of its blob. */
export function outputValues(net: Net, value: (k: number) => number): OutputValue[] {
  const weights = new Map(
    net.built.nodes.flatMap(node => node.top.map((blob, i) => [blob.name, node.lossWeights[i]] as const)),
  )
  let k = 0
  return net.outputs.flatMap(name =>
    Array.from({ length: net.blobs[name].count }, () => ({
      name,
      value: value(k++),
      lossWeight: weights.get(name) ?? 0,
    })),
  )
}

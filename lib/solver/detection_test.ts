import { NetError } from '../errors.js'
import type { ApVersion, SolverParameter } from '../generated/caffe.js'

const apVersions: readonly ApVersion[] = ['11point', 'MaxIntegral', 'Integral']

/** SSD's eval_type "detection": outputs are rows of DetectionEvaluate, whose mean average precision is the result. */
export interface DetectionTest {
  readonly version: ApVersion
  readonly perClass: boolean
}

/** What a solver's tests make of outputs; undefined: means. */
export function detectionTestOf({
  eval_type,
  ap_version,
  show_per_class_result,
}: SolverParameter): DetectionTest | undefined {
  if (eval_type !== undefined && eval_type !== 'classification' && eval_type !== 'detection')
    throw new NetError(`solver: eval_type is 'classification' or 'detection', not '${eval_type}'`)
  const version = apVersions.find(name => name === (ap_version ?? 'Integral'))
  if (!version) throw new NetError(`solver: ap_version is one of ${apVersions.join(', ')}, not '${ap_version}'`)
  return eval_type === 'detection' ? { version, perClass: show_per_class_result ?? false } : undefined
}

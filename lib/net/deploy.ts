import type { NetParameter } from '../generated/caffe.js'
import { checkOptions } from '../system/check_options.js'
import { DEPLOY_RULES, type DeployOptions } from './deploy_options.js'

/**
 * The net that is used, of the net that is trained: data layers, labels, losses and accuracies are gone, one Input layer
 * has the shape of what the data layers gave (crop, channels), a SoftmaxWithLoss has become a Softmax `prob`. Nets whose
 * rules name the stage `deploy` are filtered by it. Throws a NetError where nothing says how large an input is.
 */
export async function deployNet(param: NetParameter, options: DeployOptions = {}): Promise<NetParameter> {
  checkOptions('deployNet', options, DEPLOY_RULES)
  const { deployByText } = await import('./deploy_plan.js')
  return deployByText(param, options)
}

import type { NetParameter } from '../generated/caffe.js'
import { needsUpgrade } from '../proto/age.js'

/** The net in today's form, as upgradeNet makes it; what that takes is fetched for a net that is not. */
export async function upToDate(net: NetParameter): Promise<NetParameter> {
  return needsUpgrade(net) ? (await import('../proto/upgrade.js')).upgradeNet(net) : net
}

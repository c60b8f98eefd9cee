import type { NetParameter } from '../generated/caffe.js'
import { planDeploy } from '../net/deploy.js'
import type { DeployNetOptions } from '../net/deploy_net.js'
import { Net } from '../net.js'
import type { Files } from '../system/files.js'

/** The part of a solver that its deploy net is made from. */
interface Trained {
  readonly net: Net
  readonly testNets: readonly Net[]
  readonly files: Files
}

/** The deploy net of what a solver trains, with its weights, shapes, engine and files. */
export async function deploySolver({ net, testNets, files }: Trained, options: DeployNetOptions): Promise<Net> {
  const description: NetParameter = (testNets[0] ?? net).description
  const shapes: Record<string, readonly number[]> = {}
  for (const { name } of (await planDeploy(description, options)).inputs) {
    const blob = (testNets[0] ?? net).blobs[name] ?? net.blobs[name]
    if (blob?.numAxes) shapes[name] = blob.shape.slice(1)
  }
  const deployed = await Net.deploy(description, {
    engine: net.engine,
    near: files,
    ...options,
    shapes: { ...shapes, ...options.shapes },
  })
  const { pictureLayers } = deployed
  await deployed.copyFrom(net)
  if (pictureLayers.length) deployed.pictureLayers = pictureLayers
  return deployed
}

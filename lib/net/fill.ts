import type { Blob } from '../blob.js'
import { RistrettoError } from '../errors.js'
import { listNames } from '../system/names.js'
import type { Values } from '../system/ndarrays.js'
import type { Passes } from './passes.js'
import { writeValues } from './values.js'

/** What of a Net is needed here. */
interface Filled {
  readonly name: string
  readonly inputs: readonly string[]
  readonly runner: Passes
  blob(name: string): Blob
}

/**
 * Put the values that forward was given into their blobs: inputs, or with `anyBlob` (a pass that begins in the middle)
 * whatever they name. A RistrettoError for what is no input, or is fed as well.
 */
export function fillBlobs(net: Filled, values: Record<string, Values>, anyBlob: boolean): void {
  for (const [name, value] of Object.entries(values)) {
    const blob = net.blob(name)
    if (!anyBlob && !net.inputs.includes(name))
      throw new RistrettoError(`'${name}' is no input of net '${net.name}': its inputs are ${listNames(net.inputs)}`)
    if (net.runner.isFed(blob))
      throw new RistrettoError(
        `input '${name}' of net '${net.name}' has two sources, net.feed and the values given to forward: leave one out, or end the feed with net.feed('${name}', null)`,
      )
    // what it was fed with before is no question any more
    net.runner.unfeed([blob])
    if (blob.hidden) throw new RistrettoError(blob.hidden)
    const { data } = blob.memory
    data.claim()
    data.write(array => writeValues(blob, value, array))
  }
}

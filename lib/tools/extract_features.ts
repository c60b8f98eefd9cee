import { RistrettoError } from '../errors.js'
import type { Arrays } from '../net/values.js'
import type { Net } from '../net.js'
import { mustTake } from '../system/arguments.js'
import { didYouMean, listNames } from '../system/names.js'
import type { Values } from '../system/ndarrays.js'

/**
 * The values of `blobs` after each pass, batch by batch, as copies by blob name: what Caffe's extract_features stores.
 *
 * for await (const { fc7 } of extractFeatures(net, ['fc7'], 10)) keep(fc7)                   // 10 batches of the net's
 * own data
 * for await (const { fc7 } of extractFeatures(net, ['fc7'], batches)) keep(fc7)              // batches of { data: … }
 * for its inputs
 *
 * @param batches how many batches of the net's own data layer (or feed), or the inputs of each pass from an iterable or
 * async iterable
 */
export function extractFeatures<Name extends string>(
  net: Net,
  blobs: readonly Name[],
  batches: number | Iterable<Record<string, Values>> | AsyncIterable<Record<string, Values>>,
): AsyncGenerator<Record<Name, Arrays[string]>, void, void> {
  mustTake(typeof net?.blobs === 'object', 'extractFeatures', 'a net', net)
  mustTake(Array.isArray(blobs), 'extractFeatures', 'a list of blobs', blobs)
  for (const name of blobs)
    if (!net.blobs[name])
      throw new RistrettoError(
        `net '${net.name}' has no blob '${name}'${didYouMean(name, Object.keys(net.blobs))}; its blobs are ${listNames(Object.keys(net.blobs))}`,
      )
  if (typeof batches === 'number' && !(Number.isInteger(batches) && batches >= 0))
    throw new RistrettoError(`extractFeatures: the number of batches must be a whole number from 0 on, not ${batches}`)
  return passes(net, blobs, typeof batches === 'number' ? nothing(batches) : batches)
}

async function* passes<Name extends string>(
  net: Net,
  blobs: readonly Name[],
  batches: Iterable<Record<string, Values>> | AsyncIterable<Record<string, Values>>,
): AsyncGenerator<Record<Name, Arrays[string]>, void, void> {
  for await (const inputs of batches) {
    const values = await net.forward(inputs, { blobs })
    yield Object.fromEntries(blobs.map(name => [name, values[name]])) as Record<Name, Arrays[string]>
  }
}

function* nothing(times: number): Generator<Record<string, Values>> {
  for (let i = 0; i < times; i++) yield {}
}

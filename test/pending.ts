import { layerTypes } from '../lib/registry.js'

/** What of Caffe 1.0 is not there yet, by name: the one list that the golden tests skip from. Empty is the goal. */
export const pendingLayers: readonly string[] = []

/** Meanings of known types that are not there yet, by file in golden-forks. */
const pendingMeanings: readonly string[] = []

/** Whether a recorded type waits for its layer: one of Caffe by the list, one of a fork until its type is registered. */
export const isPending = (recorded: string, type: string): boolean =>
  pendingLayers.includes(type) ||
  (recorded.includes('golden-forks') &&
    (!layerTypes().includes(type) || pendingMeanings.includes(recorded.split('/').pop()!)))

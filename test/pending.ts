/** What of Caffe 1.0 is not there yet, by name: the one list that the golden tests skip from. Empty is the goal. */
export const pendingLayers: readonly string[] = []

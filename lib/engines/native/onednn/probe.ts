import { Refused } from './library.js'
import type { Planar, Primitives } from './primitives.js'
import { findTags } from './tags.js'

/** A convolution that every processor's own code knows. */
const PROBE: Planar = {
  channels: 64,
  outputs: 64,
  group: 1,
  input: [8, 8],
  output: [8, 8],
  kernel: [3, 3],
  stride: [1, 1],
  pad: [1, 1],
  dilation: [1, 1],
}

/** Values of a block of channels in the layout that is used here; 0: there is none whose convolutions are fast. */
export const findLayout = (primitives: Primitives): number =>
  findTags(primitives.library, () => isFast(primitives)).block

/** Whether convolutions in the layout that the library has now are fast. */
function isFast(primitives: Primitives): boolean {
  try {
    primitives.destroy(primitives.convolution(PROBE, false, true, { sum: false, after: undefined }))
    return true
  } catch (error) {
    if (error instanceof Refused) return false
    throw error
  }
}

import { activations } from './activations.js'
import { axes } from './axes.js'
import { channels } from './channels.js'
import { convolutions } from './convolution.js'
import { elementwise } from './elementwise.js'
import { flows } from './flow.js'
import type { KernelCases } from './kit.js'
import { losses } from './losses.js'
import { lrns } from './lrn.js'
import { matrices } from './matrices.js'
import { named } from './named.js'
import { neurons } from './neurons.js'
import { otherLosses } from './other_losses.js'
import { poolings } from './pooling.js'
import { recurrence } from './recurrence.js'
import { regionPoolings } from './regions.js'
import { resizes } from './resize.js'
import { solverUpdates } from './updates.js'

/** The one table of kernel cases, which every engine is held to: several sizes for each kernel. */
export const kernelCases: KernelCases = {
  ...matrices,
  ...convolutions,
  ...poolings,
  ...neurons,
  ...activations,
  ...elementwise,
  ...channels,
  ...lrns,
  ...losses,
  ...otherLosses,
  ...axes,
  ...recurrence,
  ...regionPoolings,
  ...resizes,
  ...flows,
  ...named,
  ...solverUpdates,
}

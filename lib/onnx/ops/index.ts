import { arithmetic } from './arithmetic.js'
import { boxes } from './boxes.js'
import { choices } from './choices.js'
import { convolutions } from './convolution.js'
import { functions } from './functions.js'
import type { Ops } from './handler.js'
import { matrices } from './matrices.js'
import { normalization } from './normalization.js'
import { poolings } from './pooling.js'
import { recurrences } from './recurrences.js'
import { reductions } from './reductions.js'
import { sequences } from './sequences.js'
import { shaping } from './shaping.js'
import { wholeNumbers } from './whole_numbers.js'

/** The operators that become layers. */
export const ops: Ops = {
  ...boxes,
  ...choices,
  ...convolutions,
  ...poolings,
  ...arithmetic,
  ...functions,
  ...matrices,
  ...normalization,
  ...recurrences,
  ...reductions,
  ...sequences,
  ...shaping,
  ...wholeNumbers,
}

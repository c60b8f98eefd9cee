/** What programs that take pictures say about how they prepare them. */
import type { Net } from '../net.js'
import { assumption, type Preprocessing, type PreprocessingNotice } from '../pycaffe/preprocessing.js'
import { listNames } from '../system/names.js'
import { type Output, warn } from './output.js'

/** The flag of each option. */
const flags: Record<keyof Preprocessing, string> = {
  rawScale: '--raw-scale',
  inputScale: '--input-scale',
  mean: '--mean',
  channelSwap: '--channel-swap',
  imageDims: '--images-dim',
}

/** What is known of the training's pictures, held against what is used and against the flags that were given. */
export function warnOfPreprocessing(
  net: Net,
  notices: readonly PreprocessingNotice[],
  used: Preprocessing,
  given: { readonly mean?: unknown; readonly inputScale?: unknown },
  output: Output,
): void {
  if (!net.pictures.layers.length && given.mean === undefined && given.inputScale === undefined)
    warn(
      output,
      `Warning: neither prototxt nor model says how the training prepared pictures; taken: ${assumption(used, net)}. ` +
        'Say what its data layer did (transform_param: scale is --input-scale, mean_file or mean_value is --mean) if that is not it',
    )
  for (const { text, set } of notices)
    warn(
      output,
      `Warning: ${text}${set.map(([option, value], i) => `${i ? '' : ':'} ${flags[option]} ${value}`).join('')}`,
    )
}

/** Layers that the model has no weights for. */
export function warnOfMissing(missing: readonly string[], weights: string, so: string, output: Output): void {
  if (missing.length)
    warn(
      output,
      `${weights} has no weights for ${listNames(missing)}, which keep${missing.length === 1 ? "s its filler's" : " their fillers'"} values: ${so}`,
    )
}

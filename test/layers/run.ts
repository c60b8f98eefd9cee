import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { inputLayer } from '../shapes.js'

export interface RunOptions {
  engine?: string
  phase?: 'TRAIN' | 'TEST'
  seed?: number
}

/** Input layers in0, in1 … of these shapes (force_backward is on), then `layers`. */
export function netOf(
  shapes: readonly (readonly number[])[],
  layers: string,
  { engine = 'js', phase = 'TRAIN', seed = 1701 }: RunOptions = {},
) {
  const inputs = shapes.map((shape, i) => inputLayer(`in${i}`, shape))
  return Net.create(parseNet(`force_backward: true ${inputs.join('\n')}\n${layers}`), {
    engine,
    phase,
    seed,
    threads: 2,
  })
}

/** The values of a blob as plain numbers, rounded to six digits. */
export function numbers(values: Float32Array): number[] {
  return Array.from(values, value => Number(value.toPrecision(6)))
}

import type { Datum } from '../../lib/proto/message.js'
import { readMessage } from '../../lib/proto/wire.js'

/** What the general reader makes of a record. */
export function slow(bytes: Uint8Array): unknown {
  const {
    channels = 0,
    height = 0,
    width = 0,
    data = new Uint8Array(0),
    label = 0,
    float_data,
    encoded = false,
  } = readMessage('Datum', bytes)
  return { channels, height, width, data, label, float_data, encoded }
}

/** Records of every kind. */
const data = Uint8Array.from({ length: 300 }, (_, i) => i)
export const cases: Datum[] = [
  {},
  { channels: 3, height: 10, width: 10, data, label: 5 },
  { channels: 3, height: 10, width: 10, data, label: -5 },
  { channels: 3, height: 10, width: 10, data, label: 2 ** 31 - 1, encoded: true },
  { channels: 1, height: 1, width: 2, float_data: Float32Array.of(0.5, -1), label: 1 },
  { data: new Uint8Array(0), encoded: false, label: 0 },
]

/** What `caffe time` reports, in ms a pass. */
export interface CaffeTimes {
  readonly layers: readonly { readonly name: string; readonly forward: number; readonly backward: number }[]
  readonly forward: number
  readonly backward: number
  readonly forwardBackward: number
  readonly iterations: number
}

const layerLine = /\]\s+(\S.*?)\s+(forward|backward): ([\d.e+-]+) ms\.$/
const averageLine = /\] Average (Forward pass|Backward pass|Forward-Backward): ([\d.e+-]+) ms\.$/
const iterationsLine = /\] Testing for (\d+) iterations\.$/

/**
 * Read the log of `caffe time` (glog lines, as Caffe and `ristretto time` print them). Throws when the averages are
 * missing.
 */
export function parseCaffeTime(log: string): CaffeTimes {
  const layers = new Map<string, { name: string; forward: number; backward: number }>()
  const averages: Record<string, number> = {}
  let iterations = 0
  for (const text of log.split('\n')) {
    const line = text.trimEnd()
    const average = averageLine.exec(line)
    if (average) {
      averages[average[1]] = Number(average[2])
      continue
    }
    const layer = layerLine.exec(line)
    if (layer) {
      const [, name, pass, ms] = layer
      const times = layers.get(name) ?? { name, forward: 0, backward: 0 }
      times[pass as 'forward' | 'backward'] = Number(ms)
      layers.set(name, times)
      continue
    }
    const count = iterationsLine.exec(line)
    if (count) iterations = Number(count[1])
  }
  const wanted = ['Forward pass', 'Backward pass', 'Forward-Backward'].map(name => averages[name])
  if (wanted.some(value => !Number.isFinite(value)))
    throw new Error('this is no complete log of caffe time: its averages are missing')
  const [forward, backward, forwardBackward] = wanted
  return { layers: [...layers.values()], forward, backward, forwardBackward, iterations }
}

/** Forward and backward without the layers that deliver data. */
export function withoutData(times: CaffeTimes, dataLayers: readonly string[]): { forward: number; backward: number } {
  let { forward, backward } = times
  for (const layer of times.layers) {
    if (!dataLayers.includes(layer.name)) continue
    forward -= layer.forward
    backward -= layer.backward
  }
  return { forward, backward }
}

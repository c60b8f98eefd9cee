import { EngineError, type Net } from '../lib/index.js'
import { createNet, nets } from './nets/index.js'
import { median } from './protocol.js'
import { type Cell, table } from './table.js'

/**
 * Where the time of a training pass goes, layer by layer as in `caffe time`. Hooks keep layers apart, so nothing is
 * fused.
 */
export async function layersText(
  name: string,
  engines: readonly string[],
  threads: readonly number[],
  iterations: number,
): Promise<string> {
  const columns: { title: string; layers: LayerTimes }[] = []
  let described: Net | undefined
  const notes: string[] = []
  for (const engine of engines)
    for (const count of threads) {
      try {
        const net = await createNet(name, 'train', nets[name].batch, engine, count)
        columns.push({ title: `${engine} ${count}`, layers: await timeLayers(net, iterations) })
        described ??= net
        if (net !== described) net.dispose()
      } catch (error) {
        if (!(error instanceof EngineError)) throw error
        notes.push(`${engine}: ${error.message}`)
        break
      }
    }
  if (!described) return notes.join('\n')
  const rows: Cell[][] = described.built.nodes.map(node => [
    node.name,
    node.layer.type,
    node.top.map(blob => blob.shape.join('×')).join(' '),
    ...columns.flatMap(({ layers }) => [layers.forward.get(node.name) ?? 0, layers.backward.get(node.name) ?? 0]),
  ])
  const sum = (times: Map<string, number>) => [...times.values()].reduce((total, ms) => total + ms, 0)
  rows.push(['all', '', '', ...columns.flatMap(({ layers }) => [sum(layers.forward), sum(layers.backward)])])
  described.dispose()
  const head = ['layer', 'type', 'tops', ...columns.flatMap(({ title }) => [`${title} fwd`, 'bwd'])]
  return [
    `${nets[name].title}, batch ${nets[name].batch}: ms by layer and threads, medians of ${iterations}`,
    table(head, rows),
    ...notes,
  ].join('\n')
}

interface LayerTimes {
  readonly forward: Map<string, number>
  readonly backward: Map<string, number>
}

async function timeLayers(net: Net, iterations: number): Promise<LayerTimes> {
  const samples = { forward: new Map<string, number[]>(), backward: new Map<string, number[]>() }
  let begun = 0
  const begin = () => {
    begun = performance.now()
  }
  const end = (times: Map<string, number[]>) => (layer: string) => {
    const ms = performance.now() - begun
    times.set(layer, [...(times.get(layer) ?? []), ms])
  }
  const pass = async () => {
    await net.exclusive(() => net.runner.forward())
    await net.exclusive(() => net.runner.backward())
  }
  await pass()
  net.beforeForward(begin)
  net.afterForward(end(samples.forward))
  net.beforeBackward(begin)
  net.afterBackward(end(samples.backward))
  for (let i = 0; i < iterations; i++) await pass()
  const medians = (times: Map<string, number[]>) => new Map([...times].map(([layer, list]) => [layer, median(list)]))
  return { forward: medians(samples.forward), backward: medians(samples.backward) }
}

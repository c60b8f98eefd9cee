import type { Blob } from '../blob.js'
import type { Engine } from '../engine.js'
import { classOf, type Layer } from '../layer.js'
import type { Joined } from './joined.js'
import type { BuiltNet, NetNode } from './node.js'

/** Where a layer runs, why, and what its pass moves between host and device. */
export interface LayerPlacement {
  readonly layer: string
  readonly type: string
  readonly engine: string
  /** Bytes that go up to and come down from the device in a forward and a backward pass. */
  readonly uploaded: number
  readonly downloaded: number
  readonly why: string
}

/**
 * The placement of every layer in net order. On a device, values move where one layer runs on the host and its
 * neighbour does not, and where the program or a data layer writes them.
 */
export function placements(net: BuiltNet, joined: readonly Joined[] = []): LayerPlacement[] {
  const onDevice = (node: NetNode | undefined) => node !== undefined && !node.layer.engine.isHost
  const made = new Map<Blob, NetNode>()
  const readers = new Map<Blob, NetNode[]>()
  for (const node of net.nodes) {
    for (const blob of node.bottom) readers.set(blob, [...(readers.get(blob) ?? []), node])
    for (const blob of node.top) if (!made.has(blob)) made.set(blob, node)
  }
  const { engine } = net.context
  return net.nodes.map((node, place) => {
    const { layer } = node
    let uploaded = 0
    let downloaded = 0
    if (!engine.isHost && (!onDevice(node) || node.bottom.length === 0)) {
      const source = onDevice(node) && isSource(layer)
      for (const blob of node.top)
        if (readers.get(blob)?.some(onDevice)) uploaded += bytes(blob, source || !onDevice(node))
      if (!onDevice(node)) {
        // what the program has written is on the host already
        for (const blob of node.bottom)
          downloaded += bytes(blob, onDevice(made.get(blob)) && !isSource(made.get(blob)!.layer))
        if (node.needsBackward) {
          for (const blob of node.top) downloaded += bytes(blob, !!readers.get(blob)?.some(onDevice))
          node.bottom.forEach((blob, i) => {
            uploaded += bytes(blob, node.bottomNeedsBackward[i] && onDevice(made.get(blob)))
          })
        }
      }
    }
    return {
      layer: node.key,
      type: layer.type,
      engine: layer.engine.name,
      uploaded,
      downloaded,
      why: joinedReason(net, place, joined) ?? reason(net.context.engine, layer),
    }
  })
}

/** The placements as a table for people. */
export function explainNet(net: BuiltNet, joined: readonly Joined[] = []): string {
  const rows = placements(net, joined).map(p => [
    p.layer,
    p.type,
    p.engine,
    String(p.uploaded),
    String(p.downloaded),
    p.why,
  ])
  const head = ['layer', 'type', 'engine', 'bytes up', 'bytes down', 'why']
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map(row => row[i].length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 3 || i === 4 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd()
  return [
    `net '${net.name}' on ${net.context.engine.name} (${net.context.engine.detail})`,
    line(head),
    ...rows.map(line),
  ].join('\n')
}

/**
 * Inputs have values that the program writes; other layers without bottoms that run on the device compute theirs there.
 */
const isSource = (layer: Layer): boolean => classOf(layer).isInput === true

const bytes = (blob: Blob, moved: boolean): number => (moved ? 4 * blob.count : 0)

/** What computes a layer of a row that the engine has joined. */
function joinedReason({ nodes }: BuiltNet, place: number, joined: readonly Joined[]): string | undefined {
  for (const { first, last, calls } of joined)
    if (place >= nodes.indexOf(first) && place <= last)
      return `${calls.what} computes '${first.key}' to '${nodes[last].key}' as one`
  return undefined
}

function reason(engine: Engine, layer: Layer): string {
  const { uses, gpu } = classOf(layer)
  if (engine.isHost) return 'the net runs on the host'
  if (!layer.engine.isHost)
    return gpu?.length ? `brings ${gpu.map(kernel => kernel.name).join(', ')}` : 'the device has all its kernels'
  const missing = uses.filter(kernel => engine.kernels[kernel] === undefined)
  if (missing.length) return `${engine.name} has no kernel ${missing.join(', ')}`
  return 'plain host code: it names no kernels'
}

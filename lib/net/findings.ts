import { NetError } from '../errors.js'
import type { LayerParameter, NetParameter, SolverParameter } from '../generated/caffe.js'
import { forkFields, forkTypes } from '../proto/forks.js'
import { type KeptField, keptOf } from '../proto/kept.js'
import { placeOf } from '../proto/places.js'
import { type MessageInfo, messageInfo, type PlainMessage } from '../proto/schema.js'
import { classOfType, isBuiltIn, messagesOf } from '../registry.js'

/** Something in a description that Caffe 1.0 does not know, and what it means here. */
export interface Finding {
  /** An error changes results, and so no net is made of it; a note does not. */
  readonly severity: 'error' | 'note'
  readonly kind: 'type' | 'field'
  /** Name of the layer; left out for a field of the net or the solver itself. */
  readonly layer?: string
  readonly type?: string
  /** As in `pooling_param.ceil_mode`; `type` for a type. */
  readonly field: string
  /** The fork that it comes from, if that is known. */
  readonly fork?: string
  readonly message: string
  /** Where it stands, if it was read from a text. */
  readonly file?: string
  readonly line?: number
}

/** How a net is looked at. */
export interface FindingOptions {
  /** Its data comes from elsewhere, so that fields of data layers change nothing. */
  fed?: boolean
}

/** Names of the messages that several kinds of layers share. */
const SHARED = ['transform_param', 'loss_param']

/** Every field of a net that Caffe 1.0 does not know, in the order of the layers. */
export function fieldFindings(net: NetParameter, options: FindingOptions = {}): Finding[] {
  const own = walk(messageInfo('NetParameter'), net, '', ['net'], field => !field.startsWith('layer'))
  return [
    ...own.map(found => finding(net, undefined, found)),
    ...(net.layer ?? []).flatMap(layer => layerFindings(layer, options)),
  ]
}

/** The same of a solver; nets that stand in it are not looked into. */
export function solverFindings(solver: SolverParameter): Finding[] {
  const found = walk(messageInfo('SolverParameter'), solver, '', ['solver'], field => !field.includes('net'))
  return found.map(item => finding(solver, undefined, item))
}

function layerFindings(layer: LayerParameter, { fed }: FindingOptions): Finding[] {
  const type = layer.type ?? ''
  const known = classOfType(type)
  const isSource = !layer.bottom?.length
  const messages = [...messagesOf(type), ...SHARED]
  const counts = (field: string): boolean =>
    field !== 'blobs' &&
    (!field.endsWith('_param') || messages.includes(field)) &&
    (field !== 'transform_param' || isSource)
  const found = walk(messageInfo('LayerParameter'), layer, '', [type], counts)
  // a class that a program registered, or one that is not there, says itself what its fields mean
  const isQuiet = !known || !isBuiltIn(type) || (fed === true && isSource)
  return found.map(item => finding(layer, layer, isQuiet ? { ...item, severity: 'note' } : item))
}

interface Found {
  readonly severity: Finding['severity']
  readonly field: string
  readonly fork?: string
  readonly message: string
}

/** What of a message Caffe 1.0 does not know, with what is in it; `counts` says which of its own fields matter. */
function walk(
  info: MessageInfo,
  message: object,
  path: string,
  readers: readonly string[],
  counts: (field: string) => boolean = () => true,
): Found[] {
  const found: Found[] = []
  for (const field of info.fields) {
    const value = (message as PlainMessage)[field.name]
    if (value === undefined || !counts(field.name)) continue
    const at = path ? `${path}.${field.name}` : field.name
    const facts = field.fork ? forkFields.get(`${info.name}.${field.name}`) : undefined
    if (facts && value !== facts.harmless) {
      const { fork, does, reads } = facts
      if (reads === 'all') found.push({ severity: 'note', field: at, fork, message: `has no effect: it ${does}` })
      else if (!reads.some(reader => readers.includes(reader)))
        found.push({ severity: 'error', field: at, fork, message: `is not understood here: it ${does}` })
    } else if (field.message)
      for (const item of field.repeated ? (value as object[]) : [value as object])
        found.push(...walk(field.message, item, at, readers))
  }
  return [...found, ...keptOf(message).map(kept => keptFinding(info, kept, path))]
}

function keptFinding(info: MessageInfo, { name, problem }: KeptField, path: string): Found {
  const facts = forkFields.get(`${info.name}.${name}`)
  const harmless = name === 'engine'
  return {
    severity: harmless ? 'note' : 'error',
    field: path ? `${path}.${name}` : name,
    fork: facts?.fork,
    message: harmless ? `${problem}; it has no effect` : `${problem}; what it would change is not known`,
  }
}

function finding(placed: object, layer: LayerParameter | undefined, found: Found): Finding {
  const place = placeOf(placed, found.field)
  return {
    severity: found.severity,
    kind: 'field',
    ...(layer && { layer: layer.name ?? '', type: layer.type ?? '' }),
    field: found.field,
    ...(found.fork && { fork: found.fork }),
    message: `${found.field}${found.fork ? ` of ${found.fork}` : ''}: ${found.message}`,
    ...(place && { file: place.file, line: place.line }),
  }
}

/** A finding for a layer whose type nobody has registered. */
export function typeFinding(layer: LayerParameter, message: string): Finding {
  const place = placeOf(layer, 'type')
  const fork = forkTypes.get(layer.type ?? '')?.fork
  return {
    severity: 'error',
    kind: 'type',
    layer: layer.name ?? '',
    type: layer.type ?? '',
    field: 'type',
    ...(fork && { fork }),
    message,
    ...(place && { file: place.file, line: place.line }),
  }
}

/** Findings that are errors, as such: one for each field of a type, at its first layer. */
export function findingErrors(placed: NetParameter | SolverParameter, findings: readonly Finding[]): NetError[] {
  const first = new Map<string, { error: NetError; layers: number }>()
  for (const { severity, layer, type, field, message } of findings) {
    if (severity === 'note') continue
    const key = [type, message].join('\0')
    const there = first.get(key)
    if (there) {
      there.layers++
      continue
    }
    const param =
      layer === undefined ? placed : ((placed as NetParameter).layer ?? []).find(item => (item.name ?? '') === layer)
    const where = layer === undefined ? '' : `layer '${layer}' (${type}): `
    const place = param && placeOf(param, field)
    first.set(key, { error: new NetError(`${where}${message}`, { layer, field, place }), layers: 1 })
  }
  return [...first.values()].map(({ error, layers }) => {
    if (layers > 1) error.message += ` (${layers} layers have it)`
    return error
  })
}

import type { LayerParameter, NetParameter } from '../../generated/caffe.js'
import { placeOf, skipValue } from '../../proto/places.js'
import { printNet } from '../../proto/print.js'
import { Scanner, Source } from '../../proto/scanner.js'
import { parseNet } from '../../proto/text.js'
import { upgradeNet } from '../../proto/upgrade.js'

/** A text of a net, and the net in today's form that stands in it. */
export interface NetText {
  readonly text: string
  readonly net: NetParameter
}

/** Read a text; what is of an older form is written anew, so that its layers stand in it. Throws a FormatError. */
export function readNetText(given: string, file: string): NetText {
  const parsed = parseNet(given, { file })
  const { layers = [], input = [] } = parsed
  if (!layers.length && !input.length) {
    const net = upgradeNet(parsed)
    if (net.layer?.every(layer => placeOf(layer)) !== false) return { text: given, net }
  }
  const text = printNet(upgradeNet(parsed))
  return { text, net: parseNet(text, { file }) }
}

/** Other layers for some of a text: none, one or several in the place of each. The rest stays as it was written. */
export function replaceLayers(
  { text, net }: NetText,
  changes: ReadonlyMap<LayerParameter, readonly LayerParameter[]>,
): string {
  const source = new Source(text, 'net')
  const spans = new Map<number, { end: number; layers: readonly LayerParameter[] }>()
  for (const [layer, layers] of changes) {
    const [start, end] = spanOf(layer, text, source)
    // several layers in one list: there is no place of each
    if (spans.has(start)) return printNet({ ...net, layer: net.layer?.flatMap(layer => changes.get(layer) ?? [layer]) })
    spans.set(start, { end, layers })
  }
  let result = text
  for (const [start, { end, layers }] of [...spans].sort(([a], [b]) => b - a)) {
    const printed = printNet({ layer: [...layers] }).trimEnd()
    const behind = printed ? end : afterLine(text, end)
    result = result.slice(0, start) + printed + result.slice(behind)
  }
  return result
}

/** Where the field of a layer begins and ends. */
function spanOf(layer: LayerParameter, text: string, source: Source): [start: number, end: number] {
  const { line, column } = placeOf(layer)!
  let start = column - 1
  for (let k = 1, at = 0; k < line; k++) {
    at = text.indexOf('\n', at) + 1
    start = at + column - 1
  }
  const scanner = new Scanner(source, start)
  scanner.advance()
  scanner.advance()
  scanner.take(':')
  skipValue(scanner)
  return [start, scanner.before]
}

/** Behind the end of the line, if nothing else stands on it. */
const afterLine = (text: string, end: number): number => end + (/^[ \t]*\r?\n/.exec(text.slice(end))?.[0].length ?? 0)

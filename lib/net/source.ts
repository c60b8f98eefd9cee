import { fileKind } from '../data/file_kind.js'
import { FormatError, NetError, type RistrettoError, throwAll } from '../errors.js'
import type { LayerParameter, NetParameter } from '../generated/caffe.js'
import { checkMessage } from '../proto/message.js'
import { readText } from '../proto/text.js'
import { upgradeNet } from '../proto/upgrade.js'
import { findClass } from '../registry.js'
import { type FileSource, type Files, fileName, isFileSource } from '../system/files.js'
import { inTurns } from '../system/macrotask.js'
import { adoptDeclared, fieldFindings, findingErrors } from './findings.js'
import { unknownBottoms } from './graph.js'

/** A net's description, what is wrong with its text, and where its paths are resolved. */
export interface ReadNet {
  readonly param: NetParameter
  readonly errors: readonly RistrettoError[]
  readonly files: Files
}

/**
 * A NetParameter from wherever it is, checked and upgraded. What is wrong with a prototxt stands in `errors`: the rest of
 * it is there, so that it can be looked through for more. `inFile`: another file names it. Whatever file stands there is
 * read, so that nothing of it is quoted unless it is a net.
 */
export async function readNet(
  source: FileSource | NetParameter,
  files: Files,
  { inFile = false }: { inFile?: boolean } = {},
): Promise<ReadNet> {
  if (!isFileSource(source))
    return { param: adoptDeclared(upgradeNet(checkMessage('NetParameter', source, 'net'))), errors: [], files }
  const file = fileName(source)
  if (/\blayers?\s*{/.test(file))
    throw new FormatError('this is the text of a prototxt, not its path: parse it first, Net.create(parseNet(text))')
  const bytes = await files.read(source)
  const text = new TextDecoder().decode(bytes)
  if (BINARY.test(text.slice(0, 256))) {
    const found = fileKind(bytes)
    throw new FormatError(
      `${file}: a net is described by text, a .prototxt; ${found && found.kind !== 'model' ? `this is ${found.text}` : 'this file is binary: if it is a model, it belongs into the option weights'}`,
    )
  }
  const errors: FormatError[] = []
  const parsed = await inTurns(readText('NetParameter', text, { file, errors }))
  if (inFile && !holdsLayer(parsed)) throw noNet(file, text, errors)
  // half a net may be in no form that can be upgraded
  if (errors.length && parsed.layers?.length) throwAll(errors)
  return { param: adoptDeclared(upgradeNet(parsed)), errors, files: files.near(source) }
}

const holdsLayer = ({ layer = [], layers = [] }: NetParameter): boolean =>
  [...layer, ...layers].some(({ type }) => type !== undefined)

/** What is said of a text in which no layer stands: its first mistake by line, and none of its words. */
function noNet(file: string, text: string, errors: readonly FormatError[]): FormatError {
  const line = errors[0]?.line
  const other = /^[ \t]*(base_lr|lr_policy|max_iter|net)\s*:/m.test(text) ? ": is this a solver's prototxt?" : ''
  return new FormatError(
    `${file}${line ? `:${line}` : ''}: this is named as a net, but no layer with a type stands in it${other}${line ? '; line and file alone are told of what is no net' : ''}`,
  )
}

/** Refuse a net in which the text, types or connections are wrong, with all of it at once. */
export function refuseFaults(net: NetParameter, errors: readonly RistrettoError[]): void {
  // a type or top that could not be read is no further mistake
  const read = errors.length ? (net.layer ?? []).filter(layer => layer.type) : net.layer
  const fields = findingErrors(net, fieldFindings(net))
  throwAll([...errors, ...unknownTypes(read ?? []), ...fields, ...(errors.length ? [] : unknownBottoms(net))])
}

/** One error for each type that nobody has registered, at its first layer. */
function unknownTypes(layers: readonly LayerParameter[]): NetError[] {
  const found = new Map<string, { error: NetError; layers: number }>()
  for (const param of layers)
    try {
      findClass(param)
    } catch (error) {
      if (!(error instanceof NetError)) throw error
      const { module = '', layer = '' } = param.python_param ?? {}
      const key = [param.type, module, layer].join('\0')
      const first = found.get(key)
      if (first) first.layers++
      else found.set(key, { error, layers: 1 })
    }
  return [...found.values()].map(({ error, layers }) => {
    if (layers > 1) error.message += ` (${layers} layers are of this type)`
    return error
  })
}

/** Control characters that no text has. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const BINARY = /[\0-\x08\x0e-\x1f]/

/** A seed for a run that did not ask for one; it is reported, so the run can be repeated. */
export function drawSeed(): number {
  const words = new Uint32Array(1)
  crypto.getRandomValues(words)
  return words[0]
}

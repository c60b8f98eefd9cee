import { FormatError, type RistrettoError, throwAll } from '../errors.js'
import type { NetParameter } from '../generated/caffe.js'
import type { ImportOptions } from '../onnx/import_options.js'
import { adoptDeclared } from '../proto/adopt.js'
import { isForeign } from '../proto/foreign.js'
import { checkMessage } from '../proto/message.js'
import { messageInfo } from '../proto/schema.js'
import { readText } from '../proto/text.js'
import { classOf, fetchClasses } from '../registry.js'
import { type FileSource, type Files, fileName, isFileSource } from '../system/files.js'
import { inTurns } from '../system/macrotask.js'
import { unknownBottoms } from './graph.js'
import { upToDate } from './up_to_date.js'

/** A net's description, what is wrong with its text, and where its paths are resolved. */
export interface ReadNet {
  readonly param: NetParameter
  readonly errors: readonly RistrettoError[]
  readonly files: Files
  /** The layers whose weights came with the description. */
  readonly weights?: NetParameter
}

/** Where a net's description comes from. */
export interface ReadNetOptions {
  /** Another file names it: nothing of it is quoted unless it is a net. */
  inFile?: boolean
  /** What is said of an ONNX model; undefined where nothing is. */
  onnx?: ImportOptions
}

/**
 * A NetParameter from wherever it is, checked and upgraded. What is wrong with a prototxt stands in `errors`: the rest of
 * it is there, so that it can be looked through for more. `inFile`: another file names it. Whatever file stands there is
 * read, so that nothing of it is quoted unless it is a net.
 */
export async function readNet(
  source: FileSource | NetParameter,
  files: Files,
  { inFile = false, onnx }: ReadNetOptions = {},
): Promise<ReadNet> {
  if (!isFileSource(source)) {
    refuseOnnx(onnx, 'a description')
    return { ...apart(adoptDeclared(await upToDate(checkMessage('NetParameter', source, 'net')))), errors: [], files }
  }
  const file = fileName(source)
  if (/\blayers?\s*{/.test(file))
    throw new FormatError('this is the text of a prototxt, not its path: parse it first, Net.create(parseNet(text))')
  const bytes = await files.read(source)
  if (isOnnx(bytes, file)) {
    const { readModelBytes } = await import('../onnx/read_net.js')
    const { net } = await readModelBytes(bytes, source, file, files, onnx)
    return { ...apart(net), errors: [], files: files.near(source) }
  }
  refuseOnnx(onnx, file)
  if (!bytes.length) throw new FormatError(`${file}: it is empty, so it is no net`)
  const text = new TextDecoder().decode(bytes)
  if (BINARY.test(text.slice(0, 256))) {
    const { fileKind } = await import('../data/file_kind.js')
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
  return { param: adoptDeclared(await upToDate(parsed)), errors, files: files.near(source) }
}

/**
 * Whether these are the bytes of an ONNX model: they begin with its field 1, a number, which no file of Caffe's does. A
 * file that is called so is read as one whatever it begins with.
 */
export const isOnnx = (bytes: Uint8Array, file: string): boolean =>
  bytes[0] === 0x08 || (bytes.length > 0 && /\.onnx$/i.test(file))

function refuseOnnx(options: ImportOptions | undefined, what: string): void {
  const [name] = Object.keys(options ?? {})
  if (name !== undefined) throw new FormatError(`${what}: the option ${name} is for ONNX models, and this is none`)
}

/** A description, and the layers of it that have weights. */
function apart(net: NetParameter): { param: NetParameter; weights?: NetParameter } {
  const { layer: layers = [] } = net
  if (!layers.some(({ blobs }) => blobs?.length)) return { param: net }
  const layer = layers.map(({ blobs: _, ...rest }) => rest)
  return { param: { ...net, layer }, weights: { layer: layers.filter(({ blobs }) => blobs?.length) } }
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

/** Refuse a net in which the text, types or connections are wrong, with all of it at once. Fetches the layers' classes. */
export async function refuseFaults(net: NetParameter, errors: readonly RistrettoError[]): Promise<void> {
  await fetchClasses(net.layer ?? [])
  if (!errors.length && net.layer?.every(classOf) !== false && !isForeign(messageInfo('NetParameter'), net))
    return throwAll(unknownBottoms(net))
  const { faultsOf } = await import('./faults.js')
  throwAll([...errors, ...faultsOf(net, errors.length > 0), ...(errors.length ? [] : unknownBottoms(net))])
}

/** Control characters that no text has. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const BINARY = /[\0-\x08\x0e-\x1f]/

/**
 * A seed for a run that did not ask for one; it is reported, so the run can be repeated. Nothing secret comes of it:
 * Node takes longer to load its cryptography than to build a small net.
 */
export const drawSeed = (): number => Math.floor(Math.random() * 2 ** 32)

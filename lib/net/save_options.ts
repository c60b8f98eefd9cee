import { RistrettoError } from '../errors.js'
import type { OnnxOptions } from '../onnx/options.js'
import {
  aFlag,
  anObject,
  anything,
  aText,
  aWhole,
  checkOptions,
  names,
  type OptionRules,
  oneOf,
} from '../system/check_options.js'
import type { ArchiveOptions } from './deployed.js'
import type { SaveOptions } from './files.js'

const ARCHIVE_RULES: OptionRules<ArchiveOptions> = {
  labels: anything,
  preparation: anObject,
  solver: aText,
  trainVal: aText,
  layers: anObject,
}

const ONNX_RULES: OptionRules<OnnxOptions> = {
  batch: oneOf('fixed', 'dynamic'),
  losses: aFlag,
  metadata: anObject,
  outputs: names,
  sequence: oneOf('steps', 'whole'),
  opset: aWhole,
}

/** What save and toBytes take. */
export type Saving = SaveOptions & ArchiveOptions & OnnxOptions

const RULES: OptionRules<Saving> = { format: aText, diffs: aFlag, ...ARCHIVE_RULES, ...ONNX_RULES }

/** Throws a RistrettoError for what is no option of `save`, or has no place in a file of this format. */
export function checkSaving(of: string, options: Saving, format?: string): void {
  checkOptions(of, options, RULES)
  if (format !== 'zip') refuse(of, options, ARCHIVE_RULES, "archives: a name that ends with .zip, or format: 'zip'")
  if (format !== 'onnx') refuse(of, options, ONNX_RULES, "ONNX models: a name that ends with .onnx, or format: 'onnx'")
}

function refuse(of: string, options: Saving, rules: object, what: string): void {
  const left = Object.keys(rules).find(name => options[name as keyof Saving] !== undefined)
  if (left !== undefined) throw new RistrettoError(`${of}: the option ${left} is for ${what}`)
}

/** The format that a file's ending says; a file without one is a caffemodel. Throws for the ending of something else. */
export function formatOf(path: string): NonNullable<SaveOptions['format']> {
  const ending = /[^/\\]\.([a-z]\w*)$/i.exec(path)?.[1] ?? 'caffemodel'
  const format = FORMATS[ending.toLowerCase()]
  if (format) return format
  throw new RistrettoError(
    `save: '.${ending.slice(0, 40)}' is the ending of no format of models: .caffemodel, .caffemodel.h5, .zip (an archive) and .onnx are; the option format writes one under any name`,
  )
}
const FORMATS: Readonly<Record<string, NonNullable<SaveOptions['format']> | undefined>> = {
  caffemodel: 'caffemodel',
  h5: 'hdf5',
  zip: 'zip',
  onnx: 'onnx',
}

import { checkOptions, type OptionRules } from '../system/check_options.js'
import { createFiles, FILE_RULES, type FileOptions, type FileSource, fileName } from '../system/files.js'
import { IMPORT_RULES, type ImportOptions, importOptions } from './import_options.js'
import type { OnnxModel } from './read_net.js'

/** Where an ONNX model's files are, and how it becomes a net. */
export interface ReadOnnxOptions extends FileOptions, ImportOptions {}

const RULES: OptionRules<ReadOnnxOptions> = { ...FILE_RULES, ...IMPORT_RULES }

/**
 * An ONNX model (path, URL or bytes) as a net: an ordinary description with the weights in its layers' blobs, to print,
 * edit, run and train. Inputs and outputs keep their names. Throws a FormatError that names every node that no layer does,
 * a NetError for a size that is open.
 */
export async function readOnnx(source: FileSource, options: ReadOnnxOptions = {}): Promise<OnnxModel> {
  checkOptions('readOnnx', options, RULES)
  const files = createFiles(options)
  const [bytes, { readModelBytes }] = await Promise.all([files.read(source), import('./read_net.js')])
  return readModelBytes(bytes, source, fileName(source), files, importOptions(options))
}

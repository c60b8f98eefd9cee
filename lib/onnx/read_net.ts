import type { FileSource, Files } from '../system/files.js'
import { type ImportedNet, importGraph } from './import.js'
import type { ImportOptions } from './import_options.js'
import { readGraph } from './read.js'

/** A model as a net, with what its author wrote into it. */
export interface OnnxModel extends ImportedNet {
  /** The model's metadata, by key. */
  readonly metadata: ReadonlyMap<string, string>
  /** The program that wrote it. */
  readonly producer: string
}

/** Reads the bytes of a model, which came from `source`: weights in other files are looked for beside it. */
export async function readModelBytes(
  bytes: Uint8Array,
  source: FileSource,
  file: string,
  files: Files,
  options: ImportOptions = {},
): Promise<OnnxModel> {
  const near = files.near(source)
  // bytes and URLs have no folder: the files option may answer all the same
  const external = (location: string) => near.read(location)
  const graph = await readGraph(bytes, { file, own: files.isOwn(bytes), external })
  const { metadata, producer } = graph
  return { ...importGraph(graph, options), metadata, producer }
}

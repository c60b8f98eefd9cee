import { FormatError, NetError } from '../errors.js'
import type { Files } from '../system/files.js'
import { importNode, isNode } from '../system/nodejs.js'

/** The entries of an ImageData source: path and label of each image. */
export interface ImageList {
  readonly paths: readonly string[]
  readonly labels: readonly number[]
}

/** Lines "path label", split at the last space, so that paths may hold spaces. */
export function parseImageList(text: string, name: string): ImageList {
  const paths: string[] = []
  const labels: number[] = []
  text.split('\n').forEach((raw, i) => {
    const line = raw.trimEnd()
    if (line === '') return
    const space = line.lastIndexOf(' ')
    const label = Number.parseInt(line.slice(space + 1), 10)
    if (space < 0 || Number.isNaN(label))
      throw new FormatError(`${name}:${i + 1}: '${line.slice(0, 80)}' is not a path, a space and a whole number`)
    paths.push(line.slice(0, space))
    labels.push(label)
  })
  if (paths.length === 0) throw new NetError(`the list ${name} names no images`)
  return { paths, labels }
}

/**
 * What to put in front of file names so that `first`, the first of them, is found as the prototxt means it: relative to
 * the working directory or beside the prototxt. Undefined where files are not in the file system, or the option `files`
 * is asked for each.
 */
export async function commonBase(first: string, files: Files): Promise<string | undefined> {
  if (!isNode || files.asks) return undefined
  const found = await files.locate(first)
  if (found === undefined) return undefined
  const { isAbsolute, normalize, resolve } = await importNode('node:path')
  if (isAbsolute(first)) return ''
  if (found === resolve(first)) return `${process.cwd()}/`
  const plain = normalize(first)
  return found.endsWith(plain) ? found.slice(0, -plain.length) : undefined
}

import { FormatError, NetError } from '../errors.js'
import type { Files } from '../system/files.js'
import { importNode, isNode } from '../system/nodejs.js'

/** The entries of an ImageData source: path and label of each image, and the line it stands in. */
export interface ImageList {
  readonly paths: readonly string[]
  readonly labels: readonly number[]
  readonly lines: readonly number[]
}

/**
 * Lines "path label", split at the last space, so that paths may hold spaces. A label is a whole number of 32 bits.
 * Errors name the line and quote nothing of it: whatever file the prototxt names is read as a list.
 */
export function parseImageList(text: string, name: string): ImageList {
  const list = { paths: [] as string[], labels: [] as number[], lines: [] as number[] }
  text.split('\n').forEach((raw, i) => {
    const line = raw.trimEnd()
    if (line === '') return
    const space = line.lastIndexOf(' ')
    if (space < 0) throw new FormatError(`${name}:${i + 1}: the line is not a path, a space and a whole number`)
    const label = wholeNumber(line.slice(space + 1))
    if (label === undefined)
      throw new FormatError(
        `${name}:${i + 1}: the label is no whole number of 32 bits: labels are classes here; HDF5Data takes labels that are any numbers`,
      )
    list.paths.push(line.slice(0, space))
    list.labels.push(label)
    list.lines.push(i + 1)
  })
  if (list.paths.length === 0) throw new NetError(`the list ${name} names no images`)
  return list
}

/** An int32 as C++ writes it; undefined for anything else. */
export function wholeNumber(text: string): number | undefined {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  return isInt32(value) ? value : undefined
}

export const isInt32 = (value: number): boolean => Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31

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

import { FormatError, NetError } from '../errors.js'
import { wholeNumber } from './image_list.js'

/** The entries of a list of pictures whose pixels have labels, and the line each stands in. */
export interface PairList {
  readonly paths: readonly string[]
  /** The picture of labels, or the label that every pixel has. */
  readonly labels: readonly (string | number)[]
  readonly lines: readonly number[]
}

/**
 * Lines "picture labels", split at the last space or tab. `labels` is a picture (PIXEL), a number 0 … 255 that every
 * pixel has (IMAGE), or nothing, where every pixel gets `without` (NONE). Errors name the line and quote nothing of it.
 */
export function parsePairList(
  text: string,
  name: string,
  kind: 'PIXEL' | 'IMAGE' | 'NONE' = 'PIXEL',
  without = 0,
): PairList {
  const list = { paths: [] as string[], labels: [] as (string | number)[], lines: [] as number[] }
  text.split('\n').forEach((raw, i) => {
    const line = raw.trim()
    if (line === '') return
    const refuse = (why: string) => new FormatError(`${name}:${i + 1}: ${why}`)
    const [, path, rest] = /^(.*\S)\s+(\S+)$/.exec(line) ?? []
    if (kind === 'NONE') {
      list.paths.push(/^\S+/.exec(line)![0])
      list.labels.push(without)
    } else if (path === undefined)
      throw refuse(
        kind === 'PIXEL'
          ? 'the line is not a picture, a space and a picture of labels'
          : 'the line is not a picture, a space and a label',
      )
    else {
      const label = kind === 'IMAGE' ? wholeNumber(rest) : rest
      if (label === undefined || (typeof label === 'number' && (label < 0 || label > 255)))
        throw refuse(
          'the label is no whole number of 0 to 255, which labels of pixels are; label_type: PIXEL takes pictures of labels',
        )
      list.paths.push(path)
      list.labels.push(label)
    }
    list.lines.push(i + 1)
  })
  if (list.paths.length === 0) throw new NetError(`the list ${name} names no images`)
  return list
}

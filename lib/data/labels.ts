import { FormatError } from '../errors.js'

/** Names of classes, as a text with one a line has them: the first is that of class 0. Empty lines at the end do not count. */
export function readLabels(text: string, file: string): string[] {
  const labels = text
    .replace(/^\uFEFF/, '')
    .trimEnd()
    .split(/\r?\n/)
    .map(line => line.trim())
  if (labels.length === 1 && labels[0] === '') throw new FormatError(`${file}: it is empty, so it names no classes`)
  return labels
}

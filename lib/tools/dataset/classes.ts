import { wholeNumber } from '../../data/image_list.js'
import { FormatError } from '../../errors.js'

/**
 * Numbers for class names: in the order of their characters' codes, and those that are all whole numbers in the order of
 * these. Two names that differ only in case, or in how accents are written, are a FormatError: some file systems cannot
 * hold both, and nobody can tell the labels apart.
 * @param known names of the classes in their order, where they are given; another is a FormatError
 */
export function classNumbers(names: Iterable<string>, source: string, known?: readonly string[]) {
  const classes = [...new Set(names)]
  if (known) {
    const numberOf = new Map(known.map((name, i) => [name, i]))
    const strange = classes.find(name => !numberOf.has(name))
    if (strange !== undefined) throw new FormatError(`${source}: ${noClass(strange, known)}`)
    return { classes: known, numberOf }
  }
  const numeric = classes.every(name => /^\d{1,9}$/.test(name))
  classes.sort((a, b) => (numeric ? Number(a) - Number(b) : 0) || (a < b ? -1 : 1))
  const folded = new Map<string, string>()
  for (const name of classes) {
    if (/[\n\r]/.test(name)) throw new FormatError(`${source}: the class '${name}' has a line break in its name`)
    if (name.trim() === '') throw new FormatError(`${source}: the class '${name}' has no name`)
    const key = name.normalize('NFC').toLowerCase()
    const other = folded.get(key)
    if (other !== undefined)
      throw new FormatError(
        `${source}: the classes '${other}' and '${name}' have the same name but for case or accents: merge them, or rename one`,
      )
    folded.set(key, name)
  }
  return { classes, numberOf: new Map(classes.map((name, i) => [name, i])) }
}

/** Most classes where labels are numbers: a larger one is no class, but a mistake. */
const MOST_CLASSES = 100_000

/** A label as its source has it, and where that is. */
export interface WrittenLabel {
  readonly text: string | number
  /** For errors: "list.txt:3". */
  readonly place: string
}

/**
 * Labels of a list, which are names all, or whole numbers all. Numbers are taken as they are. Errors quote nothing of
 * it: whatever file somebody names is read as a list.
 * @param known names of the classes, where they are given: labels are then among these, or their indices
 */
export function labelNumbers(
  labels: readonly WrittenLabel[],
  source: string,
  known?: readonly string[],
): { classes: readonly string[]; numbers: number[] } {
  if (known) {
    const numberOf = new Map(known.map((name, i) => [name, i]))
    return { classes: known, numbers: labels.map(label => knownNumber(label, numberOf)) }
  }
  const [first] = labels
  for (const { text, place } of labels)
    if (!isWhole(text) && String(text).trim() !== '' && !Number.isNaN(Number(text)))
      throw new FormatError(
        `${place}: the label is no whole number: labels are classes here; HDF5Data takes labels that are any numbers`,
      )
  const numeric = first !== undefined && isWhole(first.text)
  for (const { text, place } of labels)
    if (isWhole(text) !== numeric)
      throw new FormatError(
        `${place}: the label is ${numeric ? 'no whole number' : 'a number'}, that of ${first.place} is ${numeric ? 'one' : 'a name'}: labels are names all or numbers all; a file of class names says what they mean`,
      )
  if (!numeric) {
    const { classes, numberOf } = classNumbers(
      labels.map(({ text }) => String(text)),
      source,
    )
    return { classes, numbers: labels.map(({ text }) => numberOf.get(String(text))!) }
  }
  const numbers = labels.map(({ text, place }) => {
    const value = Number(text)
    if (value < 0 || value >= MOST_CLASSES)
      throw new FormatError(
        `${place}: the label is no class: they count from 0, up to ${MOST_CLASSES - 1}; HDF5Data takes labels that are any numbers`,
      )
    return value
  })
  const most = numbers.reduce((a, b) => Math.max(a, b), 0)
  return { classes: Array.from({ length: most + 1 }, (_, i) => String(i)), numbers }
}

const isWhole = (text: string | number): boolean =>
  typeof text === 'number' ? Number.isInteger(text) : wholeNumber(text) !== undefined

function knownNumber({ text, place }: WrittenLabel, numberOf: ReadonlyMap<string, number>): number {
  const named = numberOf.get(String(text))
  if (named !== undefined) return named
  const number = isWhole(text) ? Number(text) : Number.NaN
  if (number >= 0 && number < numberOf.size) return number
  throw new FormatError(
    `${place}: the label is none of the ${numberOf.size} classes that were given, nor the number of one`,
  )
}

const noClass = (name: string, known: readonly string[]): string =>
  `'${name}' is none of the ${known.length} classes that were given (${known
    .slice(0, 10)
    .map(name => `'${name}'`)
    .join(', ')}${known.length > 10 ? ', …' : ''})`

/** Class names from a labels.txt: a line each, empty ones at the end left out. */
export function parseLabels(text: string, source: string): string[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  while (lines.length && lines.at(-1)!.trim() === '') lines.pop()
  if (!lines.length) throw new FormatError(`${source}: it names no classes`)
  lines.forEach((line, i) => {
    if (line.trim() === '') throw new FormatError(`${source}:${i + 1}: the line is empty; each is the name of a class`)
  })
  const twice = lines.findIndex((line, i) => lines.indexOf(line) !== i)
  if (twice >= 0) throw new FormatError(`${source}:${twice + 1}: the class '${lines[twice]}' is there twice`)
  return lines
}

/** The same as a file. */
export const labelsText = (classes: readonly string[]): Uint8Array =>
  new TextEncoder().encode(classes.map(name => `${name}\n`).join(''))

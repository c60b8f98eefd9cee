import { RistrettoError } from '../errors.js'
import { aFlag, anObject, anything, aText, checkOptions, type OptionRules } from '../system/check_options.js'
import type { ArchiveOptions } from './deployed.js'
import type { SaveOptions } from './files.js'

const ARCHIVE_RULES: OptionRules<ArchiveOptions> = {
  labels: anything,
  preparation: anObject,
  solver: aText,
  trainVal: aText,
  layers: anObject,
}

const RULES: OptionRules<SaveOptions & ArchiveOptions> = { format: aText, diffs: aFlag, ...ARCHIVE_RULES }

/** Throws a RistrettoError for what is no option of `save`, or has no place in a file of this format. */
export function checkSaving(of: string, options: SaveOptions & ArchiveOptions, format?: string): void {
  checkOptions(of, options, RULES)
  if (format === 'zip') return
  const [left] = Object.keys(ARCHIVE_RULES).filter(name => options[name as keyof ArchiveOptions] !== undefined)
  if (left !== undefined)
    throw new RistrettoError(`${of}: the option ${left} is for archives: a name that ends with .zip, or format: 'zip'`)
}

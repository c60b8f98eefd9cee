import { RistrettoError } from '../../errors.js'
import { isFields, mustTake } from '../../system/arguments.js'
import type { Candidate, FindOptions, Found, PictureSource, SetName } from './candidates.js'
import { labelNumbers, type WrittenLabel } from './classes.js'

/** A picture that a program has or can get: one of `bytes`, `read` and `image`. */
export interface DatasetItem {
  /** What reports and keys call it; default: its number. */
  readonly name?: string
  /** Its class: a name, or a whole number from 0 on. */
  readonly label: string | number
  /** The set that it belongs to; left out, it is drawn. */
  readonly set?: SetName
  /** A picture file. */
  readonly bytes?: Uint8Array
  /** Gives the picture file when its turn comes. */
  readonly read?: () => Uint8Array | Promise<Uint8Array>
  /** Pixels R, G, B, A, row by row, as a canvas has them. */
  readonly image?: { readonly width: number; readonly height: number; readonly data: ArrayLike<number> }
}

export async function itemPictures(
  items: Iterable<DatasetItem> | AsyncIterable<DatasetItem>,
  { classes: known }: FindOptions,
): Promise<Found> {
  const all: DatasetItem[] = []
  for await (const item of items) {
    mustTake(isFields(item), 'makeDataset', "items such as { label: 'cat', bytes }", item)
    all.push(item)
  }
  if (!all.length) throw new RistrettoError('makeDataset: there are no items')
  const nameOf = ({ name }: DatasetItem, i: number) => name ?? String(i)
  const labels = all.map((item, i): WrittenLabel => ({ text: item.label, place: `item '${nameOf(item, i)}'` }))
  const { classes, numbers } = labelNumbers(labels, 'the items', known)
  const candidates = all.map((item, i): Candidate => {
    const { set } = item
    return { file: nameOf(item, i), label: numbers[i], set, source: sourceOf(item, nameOf(item, i)) }
  })
  return { classes, candidates, leftOut: [] }
}

function sourceOf({ bytes, read, image }: DatasetItem, name: string): PictureSource {
  if (bytes) return { kind: 'file', read: () => ({ bytes }) }
  if (read)
    return {
      kind: 'file',
      read: async () => {
        try {
          return { bytes: await read() }
        } catch (error) {
          throw new RistrettoError(`it cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
            cause: error,
          })
        }
      },
    }
  if (!image) throw new RistrettoError(`makeDataset: item '${name}' has none of bytes, read and image`)
  const { width, height, data } = image
  const n = width * height
  if (!(Number.isSafeInteger(n) && n > 0 && data.length === 4 * n))
    throw new RistrettoError(
      `makeDataset: the image of item '${name}' is ${width}×${height} and has ${data.length} bytes; it has four a pixel`,
    )
  const planes = new Uint8Array(3 * n)
  for (let i = 0; i < n; i++) for (let c = 0; c < 3; c++) planes[(2 - c) * n + i] = data[4 * i + c]
  return { kind: 'planes', image: { channels: 3, height, width, data: planes } }
}

import type { PlanarImage } from '../../data/image.js'

/** train, val or test. */
export type SetName = 'train' | 'val' | 'test'

export const setNames: readonly SetName[] = ['train', 'val', 'test']

/** Where a picture comes from, so that whoever decodes it can fetch it: a path or bytes can be sent to a worker. */
export type PictureSource =
  | { readonly kind: 'path'; readonly path: string }
  /** A picture file, read when its turn comes. */
  | { readonly kind: 'file'; read(): FileBytes | Promise<FileBytes> }
  | { readonly kind: 'planes'; readonly image: PlanarImage }

/** A picture as the dataset has it: an earlier run made it. */
export interface MadePicture {
  readonly kind: 'made'
  read(): PlanarImage
}

/** A picture file in memory of its own. */
export interface FileBytes {
  readonly bytes: Uint8Array
  /** Bytes that it has once unpacked, and their CRC-32; left out where it is not packed. */
  readonly packed?: { readonly size: number; readonly crc: number }
}

/** A picture that the dataset may hold. */
export interface Candidate<Source = PictureSource> {
  /** What reports call it, and its record's key after the number. */
  readonly file: string
  /** What errors call it and its class, where a file that somebody named as a list says what it is called. */
  readonly place?: string
  /** Index of its class. */
  readonly label: number
  /** Where its source says so. */
  readonly set?: SetName
  readonly source: Source
}

/** A candidate that is to be made, or that an earlier run has made. */
export type DueCandidate = Candidate<PictureSource | MadePicture>

/** A file that the dataset does not hold, and why. */
export interface LeftOut {
  readonly file: string
  readonly reason: string
}

/** What a source has. */
export interface Found {
  /** Names of the classes; a label is an index of them. */
  readonly classes: readonly string[]
  readonly candidates: readonly Candidate[]
  readonly leftOut: readonly LeftOut[]
  /** Channels of the pictures, where the source knows: then nothing else is made of them unless asked for. */
  readonly channels?: 1 | 3
  /** What is another where its picture files may be others, which have no paths. */
  readonly identity?: string
  /** What somebody may want to know. */
  readonly notes?: readonly string[]
  /** Give back what is open. */
  close?(): void
}

/** What finding them goes by. */
export interface FindOptions {
  /** Names of the classes in the order of their labels, where they are given. */
  readonly classes?: readonly string[]
}

import { crc32 } from '../../data/crc32.js'
import { type Decoders, decodePicture, withChannels } from '../../data/decode_picture.js'
import { encodeImage, type ImageFormat, type SharpModule } from '../../data/encode_image.js'
import type { PlanarImage } from '../../data/image.js'
import { fitPicture, type ResizeMode } from '../../data/picture_fit.js'
import { writePng } from '../../data/png.js'
import { FormatError } from '../../errors.js'
import type { FileBytes } from './candidates.js'

/** What is made of every picture. */
export interface PictureForm {
  readonly channels: 1 | 3
  /** Left out: as it is. */
  readonly size?: { readonly height: number; readonly width: number }
  readonly resize: ResizeMode
  readonly encode?: ImageFormat
}

/** A picture as the dataset has it. */
export interface Picture {
  readonly image: PlanarImage
  /** Its file, where files are stored. */
  readonly file?: Uint8Array
}

/** What pictures are made with. */
export interface Tools extends Decoders {
  /** The package that encodes, for workers that cannot resolve names. */
  readonly sharp?: () => Promise<SharpModule>
}

/** A file from a source → the picture of the dataset. */
export async function decodeFile(file: FileBytes, form: PictureForm, tools: Tools): Promise<Picture> {
  return inForm(await decodePicture(unpacked(file, tools), form.channels, tools), form, tools)
}

function unpacked({ bytes, packed }: FileBytes, { deflate }: Decoders): Uint8Array {
  if (!packed) return bytes
  const file = deflate.unpack(bytes, packed.size, 'raw')
  if (crc32(file) !== packed.crc) throw new FormatError('its checksum in the zip is another: it is damaged')
  return file
}

/** Planes → the picture of the dataset. */
export async function inForm(planes: PlanarImage, form: PictureForm, { deflate, sharp }: Tools): Promise<Picture> {
  const { size, resize, channels, encode } = form
  const coloured = withChannels(planes, channels)
  const image = size ? fitPicture(coloured, size.height, size.width, resize) : coloured
  if (!encode) return { image }
  return { image, file: encode === 'png' ? writePng(image, deflate) : await encodeImage(image, encode, sharp) }
}

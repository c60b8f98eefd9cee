import type { NdArray } from 'ndarray'
import { ndarrayOf } from '../system/ndarrays.js'
import type { DetectedBox } from './detect.js'
import { type DenseArray, dense, imageSize } from './io/arrays.js'
import type { Image } from './io/image.js'

type Colour = readonly [red: number, green: number, blue: number]

/** Far from each other and from most of what is photographed; labels take them in turn. */
const COLOURS: readonly Colour[] = [
  [0.9, 0.1, 0.15],
  [0.1, 0.45, 0.95],
  [0.05, 0.65, 0.2],
  [0.95, 0.5, 0],
  [0.6, 0.15, 0.8],
  [0, 0.65, 0.7],
  [0.9, 0.15, 0.6],
]
const WHITE: Colour = [1, 1, 1]

/** Pixels of a frame. */
const FRAME = 2
const GLYPH_WIDTH = 5
const GLYPH_HEIGHT = 7

/** Seven rows of five pixels each: a row is a digit of base 32, its highest bit on the left. */
const GLYPHS: Record<string, string> = {
  ...{ A: 'ehhvhhh', B: 'uhhuhhu', C: 'ehggghe', D: 'uhhhhhu', E: 'vgguggv', F: 'vgguggg', G: 'ehgnhhe', H: 'hhhvhhh' },
  ...{ I: 'e44444e', J: '72222ic', K: 'hikokih', L: 'ggggggv', M: 'hrllhhh', N: 'hhpljhh', O: 'ehhhhhe', P: 'uhhuggg' },
  ...{ Q: 'ehhhlid', R: 'uhhukih', S: 'fgge11u', T: 'v444444', U: 'hhhhhhe', V: 'hhhhha4', W: 'hhhllrh', X: 'hha4ahh' },
  ...{ Y: 'hha4444', Z: 'v1248gv', 0: 'ehjlphe', 1: '4c4444e', 2: 'eh168gv', 3: 'u11e11u', 4: '26aiv22', 5: 'vgu11he' },
  ...{ 6: 'egguhhe', 7: 'v124888', 8: 'ehhehhe', 9: 'ehhf11e', '.': '00000cc', '%': 'pq248bj', '-': '000e000' },
  ...{ _: '000000v', ':': '0cc0cc0', '/': '11248gg', ' ': '0000000' },
}
/** What has no glyph. */
const UNKNOWN = 'vhhhhhv'

/** The picture (H × W × 1 or 3, 0 … 1) in colours, with a frame, the name and the score of each box. */
export function drawBoxes(picture: NdArray, boxes: readonly DetectedBox[]): Image {
  const { data, shape } = coloured(dense(picture))
  const [height, width] = shape
  const fill = (left: number, top: number, right: number, bottom: number, colour: Colour) => {
    for (let y = Math.max(0, top); y < Math.min(bottom, height); y++)
      for (let x = Math.max(0, left); x < Math.min(right, width); x++) data.set(colour, 3 * (y * width + x))
  }
  // letters of a picture that is looked at as a whole grow with it
  const scale = Math.max(1, Math.round(Math.max(height, width) / 500))
  const frame = FRAME * scale
  // the best one is drawn last and lies on top
  for (const box of [...boxes].reverse()) {
    const colour = COLOURS[box.label % COLOURS.length]
    const [left, top, right, bottom] = [box.xmin, box.ymin, box.xmax, box.ymax].map(Math.round)
    fill(left, top, right, top + frame, colour)
    fill(left, bottom - frame, right, bottom, colour)
    fill(left, top, left + frame, bottom, colour)
    fill(right - frame, top, right, bottom, colour)
    const text = `${box.name ?? box.label} ${box.score.toFixed(2)}`.toUpperCase()
    const textHeight = (GLYPH_HEIGHT + 2) * scale
    const textWidth = (text.length * (GLYPH_WIDTH + 1) + 1) * scale
    const x = Math.max(0, Math.min(left, width - textWidth))
    // above the frame, or within it where there is no room
    const y = top >= textHeight ? top - textHeight : top
    fill(x, y, x + textWidth, y + textHeight, colour)
    ;[...text].forEach((letter, i) => {
      const glyph = GLYPHS[letter] ?? UNKNOWN
      for (let row = 0; row < GLYPH_HEIGHT; row++)
        for (let column = 0; column < GLYPH_WIDTH; column++) {
          if (!((Number.parseInt(glyph[row], 32) >> (GLYPH_WIDTH - 1 - column)) & 1)) continue
          const px = x + (1 + i * (GLYPH_WIDTH + 1) + column) * scale
          const py = y + (1 + row) * scale
          fill(px, py, px + scale, py + scale, WHITE)
        }
    })
  }
  return ndarrayOf(data, shape)
}

function coloured({ data, shape }: DenseArray): DenseArray {
  const [height, width, channels] = imageSize(shape)
  const values = new Float32Array(3 * height * width)
  for (let i = 0; i < height * width; i++)
    for (let c = 0; c < 3; c++) values[3 * i + c] = data[i * channels + (channels === 3 ? c : 0)]
  return { data: values, shape: [height, width, 3] }
}

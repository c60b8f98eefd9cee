/** Pictures as text: two pixels a character, one above the other. */
const SIDE = 28
/** MNIST's digits stand in the middle 20 × 20 pixels or so: the outer frame is left out. */
const MARGIN = 2
const WIDTH = SIDE - 2 * MARGIN
const GAP = '  '

/** @param pixels N × 28 × 28, 0 … 255. @param captions one a picture. */
export function drawDigits(pixels: Uint8Array, captions: readonly string[]): string {
  const perRow = Math.max(1, Math.floor(((process.stdout.columns ?? 80) + GAP.length) / (WIDTH + GAP.length)))
  const colored = process.stdout.isTTY && process.env['NO_COLOR'] === undefined
  const blocks = captions.map((caption, i) => [
    ...drawDigit(pixels.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE), colored ? grey : blackAndWhite),
    caption.padStart((WIDTH + caption.length) >> 1).padEnd(WIDTH),
    '',
  ])
  const lines: string[] = []
  for (let i = 0; i < blocks.length; i += perRow) {
    const row = blocks.slice(i, i + perRow)
    row[0].forEach((_, y) =>
      lines.push(
        row
          .map(block => block[y])
          .join(GAP)
          .trimEnd(),
      ),
    )
  }
  return lines.join('\n')
}

function drawDigit(pixels: Uint8Array, draw: (top: number, bottom: number) => string): string[] {
  const lines: string[] = []
  for (let y = MARGIN; y < SIDE - MARGIN; y += 2) {
    let line = ''
    for (let x = MARGIN; x < SIDE - MARGIN; x++) line += draw(pixels[y * SIDE + x], pixels[(y + 1) * SIDE + x])
    lines.push(draw === grey ? `${line}\x1b[0m` : line)
  }
  return lines
}

/** The upper half block in one of 24 greys, on a background of another. */
function grey(top: number, bottom: number): string {
  const level = (pixel: number) => 232 + Math.round((pixel * 23) / 255)
  return `\x1b[38;5;${level(top)};48;5;${level(bottom)}m▀`
}

const blackAndWhite = (top: number, bottom: number): string => ' ▄▀█'[2 * Number(top > 96) + Number(bottom > 96)]

/** Digits as a hand might write them, drawn from a number: the same number is the same picture. */

/** 0 … 1, of a number alone. */
export function random(seed: number): number {
  const x = Math.sin(seed * 12.9898 + 78.233) * 43758.5453
  return x - Math.floor(x)
}

const SIDE = 28

function drawn(label: number, seed: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(SIDE, SIDE)
  const paper = canvas.getContext('2d', { willReadFrequently: true })!
  paper.fillStyle = '#000'
  paper.fillRect(0, 0, SIDE, SIDE)
  paper.translate(SIDE / 2 + 3 * (random(seed) - 0.5), SIDE / 2 + 3 * (random(seed + 1) - 0.5))
  paper.rotate(0.5 * (random(seed + 2) - 0.5))
  paper.transform(1, 0, 0.5 * (random(seed + 3) - 0.5), 0.85 + 0.3 * random(seed + 4), 0, 0)
  paper.fillStyle = '#fff'
  paper.font = `${random(seed + 5) > 0.5 ? 'italic ' : ''}${20 + Math.round(5 * random(seed + 6))}px ${random(seed + 7) > 0.5 ? 'serif' : 'sans-serif'}`
  paper.textAlign = 'center'
  paper.textBaseline = 'middle'
  paper.fillText(String(label), 0, 1)
  return canvas
}

export const digitPng = (label: number, seed: number): Promise<Blob> => drawn(label, seed).convertToBlob()

/** Bytes of the picture, one a pixel. */
export function digitPixels(label: number, seed: number): Uint8Array {
  const { data } = drawn(label, seed).getContext('2d')!.getImageData(0, 0, SIDE, SIDE)
  return Uint8Array.from({ length: SIDE * SIDE }, (_, at) => data[4 * at])
}

/** What remains of many digits laid over each other. */
export async function meanPng(): Promise<Blob> {
  const canvas = new OffscreenCanvas(SIDE, SIDE)
  const paper = canvas.getContext('2d')!
  paper.fillStyle = '#000'
  paper.fillRect(0, 0, SIDE, SIDE)
  paper.globalAlpha = 0.06
  for (let seed = 0; seed < 40; seed++) paper.drawImage(drawn(seed % 10, seed * 11), 0, 0)
  return canvas.convertToBlob()
}

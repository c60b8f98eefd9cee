import { RandomStream } from 'ristretto'

/** Side of a picture, and what may be on it: class 1 is the first. */
export const SIZE = 80
export const CLASSES = ['disc', 'square', 'triangle'] as const

/** x1, y1, x2, y2 in pixels, both ends inside; `label` from 1 on. */
export interface Box {
  readonly box: readonly [number, number, number, number]
  readonly label: number
}

/** A picture 3 × 80 × 80, values about −1 … 1, and what is on it. */
export interface Scene {
  readonly pixels: Float32Array
  readonly objects: readonly Box[]
}

const inside = (label: number, x: number, y: number): boolean =>
  label === 1 ? x * x + y * y <= 1 : label === 2 || Math.abs(x) <= (y + 1) / 2

const apart = (a: Box['box'], b: Box['box']): boolean =>
  a[2] < b[0] - 2 || b[2] < a[0] - 2 || a[3] < b[1] - 2 || b[3] < a[1] - 2

/** Scene `number` of a series: one to three shapes of 18 to 36 pixels, in any colour, that do not touch, on noise. */
export function drawScene(seed: number, number: number): Scene {
  const random = new RandomStream(seed, 'shapes')
  random.iteration = number
  const pixels = new Float32Array(3 * SIZE * SIZE)
  const ground = [random.uniform() - 0.5, random.uniform() - 0.5, random.uniform() - 0.5]
  // noise, a byte of random bits a value: one number after the other would take as long as the net
  const bits = new Uint32Array(pixels.length / 4)
  random.uint32s(bits)
  const bytes = new Uint8Array(bits.buffer)
  for (let i = 0; i < pixels.length; i++) pixels[i] = ground[Math.floor(i / (SIZE * SIZE))] + bytes[i] / 512 - 0.25
  const objects: Box[] = []
  const wanted = 1 + random.integer(3)
  for (let tries = 0; tries < 20 && objects.length < wanted; tries++) {
    const label = 1 + random.integer(CLASSES.length)
    const side = 18 + random.integer(19)
    const [x1, y1] = [random.integer(SIZE - side), random.integer(SIZE - side)]
    const box = [x1, y1, x1 + side - 1, y1 + side - 1] as const
    const colour = ground.map(value => value + (random.uniform() < 0.5 ? -1 : 1) * (0.4 + 0.5 * random.uniform()))
    if (!objects.every(other => apart(box, other.box))) continue
    objects.push({ box, label })
    const half = (side - 1) / 2
    for (let y = y1; y <= box[3]; y++)
      for (let x = x1; x <= box[2]; x++)
        if (inside(label, (x - x1) / half - 1, (y - y1) / half - 1))
          for (let c = 0; c < 3; c++) {
            const i = (c * SIZE + y) * SIZE + x
            pixels[i] = colour[c] + bytes[i] / 768 - 1 / 6
          }
  }
  return { pixels, objects }
}

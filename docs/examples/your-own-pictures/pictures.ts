/**
 * A folder of pictures for each class, made from a seed: shapes of any colour on noise. In the place of your own:
 *
 *   npx tsx pictures.ts photos [pictures a class]
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import ndarray from 'ndarray'
import { RandomStream } from 'ristretto'
import { saveImage } from 'ristretto/pycaffe'

const SIZE = 48
/** Whether a place, −1 … 1 in both directions, is in the shape. */
const shapes: Record<string, (x: number, y: number) => boolean> = {
  circles: (x, y) => x * x + y * y < 1,
  crosses: (x, y) => Math.abs(x) < 0.3 || Math.abs(y) < 0.3,
  squares: () => true,
  triangles: (x, y) => 2 * Math.abs(x) < 1 + y,
}

const [folder = 'photos', count = '100'] = process.argv.slice(2)
const random = new RandomStream(1, 'pictures')
for (const [name, isInside] of Object.entries(shapes)) {
  await mkdir(join(folder, name), { recursive: true })
  for (let i = 0; i < Number(count); i++) {
    const picture = ndarray(new Float32Array(SIZE * SIZE * 3), [SIZE, SIZE, 3])
    const radius = 14 + 8 * random.uniform()
    const [left, top] = [0, 1].map(() => radius + (SIZE - 2 * radius) * random.uniform())
    const colour = [0, 1, 2].map(() => 0.35 + 0.65 * random.uniform())
    for (let y = 0; y < SIZE; y++)
      for (let x = 0; x < SIZE; x++) {
        const [u, v] = [(x + 0.5 - left) / radius, (y + 0.5 - top) / radius]
        const drawn = Math.max(Math.abs(u), Math.abs(v)) < 1 && isInside(u, v)
        for (let c = 0; c < 3; c++) picture.set(y, x, c, (drawn ? colour[c] : 0.1) + 0.25 * random.uniform())
      }
    await saveImage(join(folder, name, `${i + 1}.png`), picture)
  }
}
console.log(`${Object.keys(shapes).length} × ${count} pictures in ${folder}`)

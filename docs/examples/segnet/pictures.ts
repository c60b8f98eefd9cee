/** Pictures to cut into classes: coloured circles, squares and triangles on noise, and pictures of their labels. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import ndarray from 'ndarray'
import { encodePicture } from 'ristretto/pycaffe'
import { inside, names, randomFrom, SIZE } from '../ssd/shapes.js'

export { names, SIZE }

/** A picture, 64 × 64 × 3, R G B, 0 … 1, and the class of each of its pixels. */
export interface Scene {
  picture: Float32Array
  labels: Uint8Array
}

/** One or two shapes of 16 to 38 pixels; what comes later lies on top. The colour says nothing of the class. */
export function makeScene(random: () => number): Scene {
  const picture = new Float32Array(SIZE * SIZE * 3)
  for (let i = 0; i < picture.length; i++) picture[i] = 0.6 * random()
  const labels = new Uint8Array(SIZE * SIZE)
  for (let n = 1 + Math.floor(2 * random()); n > 0; n--) {
    const label = 1 + Math.floor(3 * random())
    const size = 16 + Math.floor(23 * random())
    const left = Math.floor((SIZE - size) * random())
    const top = Math.floor((SIZE - size) * random())
    const colour = [0, 1, 2].map(() => 0.5 + 0.5 * random())
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        if (!inside(label, (x + 0.5) / size, (y + 0.5) / size)) continue
        const i = (top + y) * SIZE + left + x
        labels[i] = label
        for (let c = 0; c < 3; c++) picture[3 * i + c] = colour[c] + 0.3 * (random() - 0.5)
      }
  }
  return { picture, labels }
}

/** Scenes as PNG files in a folder, grey values being labels, and a list of them: a line "picture labels" each. */
export async function writeScenes(folder: string, name: string, count: number, seed: number): Promise<void> {
  await mkdir(join(folder, name), { recursive: true })
  const random = randomFrom(seed)
  const lines: string[] = []
  for (let i = 0; i < count; i++) {
    const { picture, labels } = makeScene(random)
    const grey = Float32Array.from(labels, label => label / 255)
    const files = [`${name}/${i}.png`, `${name}/${i}_labels.png`]
    await writeFile(join(folder, files[0]), await encodePicture(ndarray(picture, [SIZE, SIZE, 3])))
    await writeFile(join(folder, files[1]), await encodePicture(ndarray(grey, [SIZE, SIZE, 1])))
    lines.push(files.join(' '))
  }
  await writeFile(join(folder, `${name}.txt`), `${lines.join('\n')}\n`)
}

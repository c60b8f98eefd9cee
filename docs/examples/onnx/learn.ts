/** The part that is the same in Node and in a page: bytes of a model and pictures in, bytes of a model out. */
import { createSolver, readOnnx, type Solver } from 'ristretto'

export interface Lesson {
  readonly image: readonly Float32Array[]
  /** The class of each picture, from 0 on. */
  readonly label: readonly number[]
  readonly classes: number
}

/** A solver for the model with a new head; nothing else of it learns. */
export async function prepare(model: Uint8Array, { image, label, classes }: Lesson): Promise<Solver> {
  const { net: net_param } = await readOnnx(model, {
    shapes: { data: [30, 1, 28, 28] }, // batches of 30
    freeze: ['*'], // every layer that the model has
    replaceOutput: { classes, label: 'label' }, // a head in the place of its own, and a loss
  })
  const solver = await createSolver({
    net_param,
    type: 'Adam',
    base_lr: 0.01,
    lr_policy: 'fixed',
    max_iter: 60,
    random_seed: 1,
  })
  solver.net.feed('data', image)
  solver.net.feed('label', label)
  return solver
}

/** The share of pictures of which the net says the right class. */
export async function share({ net }: Solver, { image, label }: Lesson): Promise<number> {
  const rows = await net.predict(image)
  const right = rows.filter((row, i) => row.indexOf(Math.max(...row)) === label[i])
  return right.length / rows.length
}

/** Reads test/golden and test/golden-forks: values recorded from BVLC Caffe 1.0 and from its forks (see their README.md). */
import { readdirSync, readFileSync } from 'node:fs'
import { forkTypes as typesOfForks } from '../lib/proto/forks.js'

export const goldenPath = (path: string): string => new URL(`golden/${path}`, import.meta.url).pathname

/** Names of the recorded types of layers, as Golden takes them: Caffe's, then those of forks. */
export const recordedLayers = (): string[] =>
  ['layers', '../golden-forks/layers'].flatMap(folder =>
    readdirSync(goldenPath(folder))
      .filter(file => file.endsWith('.json'))
      .map(file => `${folder}/${file.slice(0, -5)}`),
  )

/** Types that forks have added. */
export const forkTypes = (): ReadonlySet<string> => new Set(typesOfForks.keys())

/** Where an array of a given shape starts in a .f32 file, in floats. */
export interface GoldenArray {
  name?: string
  shape: number[]
  offset: number
}

/** A JSON file and the floats beside it. */
export class Golden<T> {
  readonly json: T
  private readonly floats: Float32Array

  /** @param name path below test/golden, without extension */
  constructor(name: string, floats = name) {
    this.json = JSON.parse(readFileSync(goldenPath(`${name}.json`), 'utf8'))
    const bytes = readFileSync(goldenPath(`${floats}.f32`))
    this.floats = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  }

  array({ shape, offset }: GoldenArray): Float32Array {
    return this.floats.subarray(offset, offset + shape.reduce((n, d) => n * d, 1))
  }
}

/** |got − expected| ≤ atol + rtol·|expected| for every value. Returns the largest difference as a share of that. */
export function expectClose(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  rtol: number,
  atol: number,
  what: string,
): number {
  if (got.length !== expected.length) throw new Error(`${what}: ${got.length} values, expected are ${expected.length}`)
  let worst = 0
  for (let i = 0; i < expected.length; i++) {
    const allowed = atol + rtol * Math.abs(expected[i])
    const off = Math.abs(got[i] - expected[i])
    if (!(off <= allowed))
      throw new Error(`${what}[${i}]: got ${got[i]}, expected ${expected[i]}, off by ${off}, allowed ${allowed}`)
    if (off > 0) worst = Math.max(worst, off / allowed)
  }
  return worst
}

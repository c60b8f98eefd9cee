import { readFileSync } from 'node:fs'
import type { Phase } from '../../lib/layer.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { createFiles } from '../../lib/system/files.js'

/** The folder with what Caffe wrote and read. */
export const io = (path: string): string => new URL(`../golden/io/${path}`, import.meta.url).pathname

export interface ArrayAt {
  shape: number[]
  offset?: number
  sum?: number
}

export interface SourceCase {
  name: string
  phase: Phase
  prototxt: string
  rtol: number
  atol: number
  forwards: Record<string, ArrayAt>[]
}

const floats = readFileSync(io('io.f32'))
const values = new Float32Array(floats.buffer.slice(floats.byteOffset, floats.byteOffset + floats.length))

export const golden = JSON.parse(readFileSync(io('io.json'), 'utf8'))

export const arrayOf = ({ shape, offset = 0 }: ArrayAt): Float32Array =>
  values.subarray(offset, offset + shape.reduce((product, size) => product * size, 1))

/** Largest |got − expected| − (atol + rtol·|expected|); at most 0 where the arrays agree. */
export function excess(got: ArrayLike<number>, expected: Float32Array, rtol: number, atol: number): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY
  let worst = Number.NEGATIVE_INFINITY
  for (let i = 0; i < expected.length; i++) {
    const by = Math.abs(got[i] - expected[i]) - (atol + rtol * Math.abs(expected[i]))
    if (!(by <= worst)) worst = by
  }
  return worst
}

/** A net whose paths are relative to the golden folder. */
export const netOf = (prototxt: string, phase: Phase = 'TEST', seed = 1): Promise<Net> =>
  Net.create(parseNet(prototxt), { phase, seed, engine: 'js', near: createFiles(undefined, io('any.prototxt')) })

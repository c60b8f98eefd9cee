import type { Shape } from '../../blob.js'

/** For each axis of the top, the place of the bottom that each of its places takes; −1 is none. */
export type Places = readonly (readonly number[])[]

/** ys ← the places of xs, `nothing` where there is none. */
export function takePlaces(input: Shape, places: Places, xs: Float32Array, ys: Float32Array, nothing = 0): void {
  eachRun(input, places, (from, to, length) => {
    if (from < 0) ys.fill(nothing, to, to + length)
    else if (length < 16) for (let i = 0; i < length; i++) ys[to + i] = xs[from + i]
    else ys.set(xs.subarray(from, from + length), to)
  })
}

/** dxs ← 0, then every place that was taken gets what arrives at its copies. */
export function givePlaces(input: Shape, places: Places, dys: Float32Array, dxs: Float32Array): void {
  dxs.fill(0)
  eachRun(input, places, (from, to, length) => {
    if (from >= 0) for (let i = 0; i < length; i++) dxs[from + i] += dys[to + i]
  })
}

/** Visits runs of values that lie together in both, or in the top alone where from is −1. */
function eachRun(input: Shape, places: Places, visit: (from: number, to: number, length: number) => void): void {
  let last = places.length - 1
  let block = 1
  while (last >= 0 && isWhole(places[last], input[last])) block *= input[last--]
  const walk = (axis: number, from: number, to: number): void => {
    if (axis > last) {
      visit(from * block, to * block, block)
      return
    }
    const table = places[axis]
    const n = table.length
    for (let i = 0; i < n; ) {
      const place = from < 0 ? -1 : table[i]
      const next = place < 0 ? -1 : from * input[axis] + place
      let end = i + 1
      if (axis === last) {
        while (end < n && (from < 0 || (place < 0 ? table[end] < 0 : table[end] === place + end - i))) end++
        visit(next < 0 ? -1 : next * block, (to * n + i) * block, (end - i) * block)
      } else walk(axis + 1, next, to * n + i)
      i = end
    }
  }
  walk(0, 0, 0)
}

const isWhole = (table: readonly number[], size: number): boolean =>
  table.length === size && table.every((place, i) => place === i)

/** 0, 1, 2 … size − 1: the whole axis. */
export const whole = (size: number): number[] => Array.from({ length: size }, (_, i) => i)

/** Values that go where a mask says, and blocks of equal values. A chunk is a plane. */
import { CHUNK_VALUES } from './elementwise'
import { job, run } from './threads'
import { bytes, ceilDiv, copyValues, fillValues, larger, smaller } from './vector'

@unmanaged
class Unpool {
  places: i32
  size: i32
  x: usize
  mask: usize
  y: usize
}

export function unpool(planes: i32, places: i32, size: i32, x: usize, mask: usize, y: usize): void {
  describe(places, size, x, mask, y)
  run(scatterPlane, planes)
}

export function unpoolGradient(planes: i32, places: i32, size: i32, dy: usize, mask: usize, dx: usize): void {
  describe(places, size, dx, mask, dy)
  run(gatherPlane, planes)
}

function describe(places: i32, size: i32, x: usize, mask: usize, y: usize): void {
  const s = changetype<Unpool>(job)
  s.places = places
  s.size = size
  s.x = x
  s.mask = mask
  s.y = y
}

/** Whether a mask names one of the places, its fraction cut off. */
@inline
function isWithin(mask: f32, size: i32): bool {
  return mask > -1 && mask < <f32>size
}

function scatterPlane(plane: i32, _workspace: usize): void {
  const s = changetype<Unpool>(job)
  const from = <usize>plane * bytes(s.places)
  const to = s.y + <usize>plane * bytes(s.size)
  fillValues(to, s.size, 0)
  for (let i = 0; i < s.places; i++) {
    const mask = load<f32>(s.mask + from + bytes(i))
    if (isWithin(mask, s.size)) store<f32>(to + bytes(<i32>mask), load<f32>(s.x + from + bytes(i)))
  }
}

function gatherPlane(plane: i32, _workspace: usize): void {
  const s = changetype<Unpool>(job)
  const to = <usize>plane * bytes(s.places)
  const from = s.y + <usize>plane * bytes(s.size)
  for (let i = 0; i < s.places; i++) {
    const mask = load<f32>(s.mask + to + bytes(i))
    store<f32>(s.x + to + bytes(i), isWithin(mask, s.size) ? load<f32>(from + bytes(<i32>mask)) : 0)
  }
}

@unmanaged
class Enlarge {
  rows: i32
  width: i32
  factor: i32
  /** Rows a chunk. */
  block: i32
  x: usize
  y: usize
}

export function enlarge(planes: i32, height: i32, width: i32, factor: i32, x: usize, y: usize): void {
  describeRows(planes * height, width, factor, x, y)
  run(repeatRows, chunksOf())
}

export function enlargeGradient(planes: i32, height: i32, width: i32, factor: i32, dy: usize, dx: usize): void {
  describeRows(planes * height, width, factor, dx, dy)
  run(addRows, chunksOf())
}

function describeRows(rows: i32, width: i32, factor: i32, x: usize, y: usize): void {
  const s = changetype<Enlarge>(job)
  s.rows = rows
  s.width = width
  s.factor = factor
  s.block = larger(1, CHUNK_VALUES / larger(1, width * factor * factor))
  s.x = x
  s.y = y
}

@inline
function chunksOf(): i32 {
  const s = changetype<Enlarge>(job)
  return ceilDiv(s.rows, s.block)
}

function repeatRows(chunk: i32, _workspace: usize): void {
  const s = changetype<Enlarge>(job)
  const wide = s.width * s.factor
  const last = smaller(s.rows, (chunk + 1) * s.block)
  for (let row = chunk * s.block; row < last; row++) {
    const from = s.x + <usize>row * bytes(s.width)
    const first = s.y + <usize>row * bytes(wide) * <usize>s.factor
    if (s.factor == 2) repeatTwice(from, first, s.width)
    else {
      let to = first
      for (let j = 0; j < s.width; j++, to += bytes(s.factor)) {
        const value = load<f32>(from + bytes(j))
        for (let k = 0; k < s.factor; k++) store<f32>(to + bytes(k), value)
      }
    }
    for (let k = 1; k < s.factor; k++) copyValues(first + <usize>k * bytes(wide), first, wide)
  }
}

function repeatTwice(from: usize, to: usize, width: i32): void {
  let j = 0
  for (; j + 4 <= width; j += 4) {
    const v = v128.load(from + bytes(j))
    v128.store(to + bytes(2 * j), v128.shuffle<f32>(v, v, 0, 0, 1, 1))
    v128.store(to + bytes(2 * j), v128.shuffle<f32>(v, v, 2, 2, 3, 3), 16)
  }
  for (; j < width; j++) {
    const value = load<f32>(from + bytes(j))
    store<f32>(to + bytes(2 * j), value)
    store<f32>(to + bytes(2 * j), value, 4)
  }
}

function addRows(chunk: i32, _workspace: usize): void {
  const s = changetype<Enlarge>(job)
  const wide = bytes(s.width * s.factor)
  const last = smaller(s.rows, (chunk + 1) * s.block)
  for (let row = chunk * s.block; row < last; row++) {
    const to = s.x + <usize>row * bytes(s.width)
    const first = s.y + <usize>row * wide * <usize>s.factor
    for (let j = 0; j < s.width; j++) {
      let sum: f32 = 0
      for (let k = 0; k < s.factor; k++) {
        const from = first + <usize>k * wide + bytes(j * s.factor)
        for (let l = 0; l < s.factor; l++) sum += load<f32>(from + bytes(l))
      }
      store<f32>(to + bytes(j), sum)
    }
  }
}

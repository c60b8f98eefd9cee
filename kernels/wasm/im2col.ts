/**
 * What a kernel of any number of axes covers, as a matrix, and back. Convolutions of more than two axes are made of it.
 */
import { CHUNK_VALUES } from './elementwise'
import { job, run } from './threads'
import { bytes, ceilDiv, copyValues, larger, smaller } from './vector'

@unmanaged
class Im2col {
  axes: i32
  planes: i32
  taps: i32
  /** Sizes of one plane of x, and of a row of the matrix: the outputs of the slices that are wanted. */
  inputs: i32
  outputs: i32
  block: i32
  x: usize
  y: usize
}

/** Follows the job, one for each of up to 16 axes; `from` is the first output, of `output` ones. */
@unmanaged
class Axis {
  input: i32
  from: i32
  output: i32
  kernel: i32
  stride: i32
  pad: i32
  dilation: i32
}
const AXES: usize = 64
const AXIS_BYTES: usize = 28

@inline
function axis(d: i32): Axis {
  return changetype<Axis>(job + AXES + <usize>d * AXIS_BYTES)
}

/** Sizes of axis d of the next call: outputs from … from + output − 1 are wanted. */
export function im2colAxis(d: i32, input: i32, from: i32, output: i32, kernel: i32, stride: i32, pad: i32, dilation: i32): void {
  const a = axis(d)
  a.input = input
  a.from = from
  a.output = output
  a.kernel = kernel
  a.stride = stride
  a.pad = pad
  a.dilation = dilation
}

function describe(axes: i32, planes: i32, x: usize, y: usize): Im2col {
  const s = changetype<Im2col>(job)
  s.axes = axes
  s.planes = planes
  s.x = x
  s.y = y
  s.taps = 1
  s.inputs = 1
  s.outputs = 1
  for (let d = 0; d < axes; d++) {
    s.taps *= axis(d).kernel
    s.inputs *= axis(d).input
    s.outputs *= axis(d).output
  }
  return s
}

export function im2col(axes: i32, planes: i32, x: usize, y: usize): void {
  const s = describe(axes, planes, x, y)
  if (s.outputs <= 0) return
  s.block = larger(1, CHUNK_VALUES / s.outputs)
  run(rowsChunk, ceilDiv(planes * s.taps, s.block))
}

function rowsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Im2col>(job)
  const last = smaller(s.planes * s.taps, (chunk + 1) * s.block)
  for (let r = chunk * s.block; r < last; r++) {
    const plane = r / s.taps
    visit(s, s.x + bytes(plane * s.inputs), s.y + bytes(r * s.outputs), r - plane * s.taps, false)
  }
}

/** dx ← dx + the adjoint of im2col applied to dy: what was copied from one place is added up there. */
export function addIm2colGradient(axes: i32, planes: i32, dy: usize, dx: usize): void {
  const s = describe(axes, planes, dx, dy)
  s.block = larger(1, CHUNK_VALUES / larger(1, s.taps * s.outputs))
  run(planesChunk, ceilDiv(planes, s.block))
}

function planesChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Im2col>(job)
  const last = smaller(s.planes, (chunk + 1) * s.block)
  for (let p = chunk * s.block; p < last; p++) {
    for (let t = 0; t < s.taps; t++) visit(s, s.x + bytes(p * s.inputs), s.y + bytes((p * s.taps + t) * s.outputs), t, true)
  }
}

/** Copies what tap t of the kernel meets in a plane x to the row y of outputs, or adds y to it. */
function visit(s: Im2col, x: usize, y: usize, t: i32, adds: bool): void {
  const end = s.axes - 1
  const a = axis(end)
  const width = a.output
  // along the last axis outputs first … last − 1 meet the image
  const offset = (t % a.kernel) * a.dilation - a.pad + a.from * a.stride
  const first = smaller(width, offset < 0 ? ceilDiv(-offset, a.stride) : 0)
  const last = offset < a.input ? larger(first, smaller(width, ceilDiv(a.input - offset, a.stride))) : first
  const above = t / a.kernel
  const rows = s.outputs / width
  for (let r = 0; r < rows; r++, y += bytes(width)) {
    // where this row of outputs lies in the image, axis by axis from the last but one
    let place = 0
    let size = a.input
    let row = r
    let tap = above
    let inside = true
    for (let d = end - 1; d >= 0; d--) {
      const b = axis(d)
      const i = (row % b.output + b.from) * b.stride + (tap % b.kernel) * b.dilation - b.pad
      if (i < 0 || i >= b.input) {
        inside = false
        break
      }
      place += i * size
      size *= b.input
      row /= b.output
      tap /= b.kernel
    }
    if (!inside) {
      if (!adds) memory.fill(y, 0, bytes(width))
      continue
    }
    const from = x + bytes(place + offset)
    if (adds) {
      addStrided(from + bytes(first * a.stride), y + bytes(first), last - first, a.stride)
      continue
    }
    for (let j = 0; j < first; j++) store<f32>(y + bytes(j), 0)
    if (a.stride == 1) copyValues(y + bytes(first), from + bytes(first), last - first)
    else for (let j = first; j < last; j++) store<f32>(y + bytes(j), load<f32>(from + bytes(j * a.stride)))
    for (let j = last; j < width; j++) store<f32>(y + bytes(j), 0)
  }
}

/** x[j·stride] ← x[j·stride] + y[j]. */
@inline
function addStrided(x: usize, y: usize, n: i32, stride: i32): void {
  let j = 0
  if (stride == 1) {
    for (; j + 4 <= n; j += 4) v128.store(x + bytes(j), f32x4.add(v128.load(x + bytes(j)), v128.load(y + bytes(j))))
  }
  for (; j < n; j++) store<f32>(x + bytes(j * stride), load<f32>(x + bytes(j * stride)) + load<f32>(y + bytes(j)))
}

/** Pictures moved along a flow. A chunk is some rows of a picture, all channels; of the pictures' gradient it is a plane. */
import { CHUNK_VALUES } from './elementwise'
import { job, run } from './threads'
import { bytes, ceilDiv, fillValues, larger, smaller } from './vector'

@unmanaged
class FlowWarp {
  N: i32
  C: i32
  H: i32
  W: i32
  outside: f32
  /** Rows of a chunk, and chunks of a picture. */
  block: i32
  blocks: i32
  x: usize
  flow: usize
  y: usize
  to: usize
}

/** Where a flow leads, from the last `follow` on: bytes to the pixel and its neighbours, and shares. */
let place: usize = 0
let right: usize = 0
let down: usize = 0
let u: f32 = 0
let v: f32 = 0

/** Whether the flow of a place stays within the picture; what it leads to. */
@inline
function follow(s: FlowWarp, flow: usize, row: i32, column: i32): bool {
  const plane = bytes(s.H * s.W)
  const at = flow + bytes(row * s.W + column)
  const x = <f32>column + load<f32>(at)
  const y = <f32>row + load<f32>(at + plane)
  if (!(x >= 0 && y >= 0 && x < <f32>s.W && y < <f32>s.H)) return false
  const left = <i32>x
  const above = <i32>y
  place = bytes(above * s.W + left)
  right = left + 1 < s.W ? 4 : 0
  down = above + 1 < s.H ? bytes(s.W) : 0
  u = x - <f32>left
  v = y - <f32>above
  return true
}

function describe(N: i32, C: i32, H: i32, W: i32, x: usize, flow: usize, y: usize): FlowWarp {
  const s = changetype<FlowWarp>(job)
  s.N = N
  s.C = C
  s.H = H
  s.W = W
  s.x = x
  s.flow = flow
  s.y = y
  s.block = larger(1, CHUNK_VALUES / larger(1, 4 * W * C))
  s.blocks = ceilDiv(H, s.block)
  return s
}

export function flowWarp(N: i32, C: i32, H: i32, W: i32, outside: f32, x: usize, flow: usize, y: usize): void {
  const s = describe(N, C, H, W, x, flow, y)
  s.outside = outside
  run(warpRows, N * s.blocks)
}

function warpRows(chunk: i32, _workspace: usize): void {
  const s = changetype<FlowWarp>(job)
  const n = chunk / s.blocks
  const first = (chunk - n * s.blocks) * s.block
  const plane = bytes(s.H * s.W)
  const flow = s.flow + <usize>(2 * n) * plane
  const item = <usize>(n * s.C) * plane
  for (let row = first; row < smaller(s.H, first + s.block); row++) {
    for (let column = 0; column < s.W; column++) {
      let to = s.y + item + bytes(row * s.W + column)
      if (!follow(s, flow, row, column)) {
        for (let c = 0; c < s.C; c++, to += plane) store<f32>(to, s.outside)
        continue
      }
      const r = right
      const d = down
      const across: f32 = u
      const along: f32 = v
      let p = s.x + item + place
      for (let c = 0; c < s.C; c++, p += plane, to += plane) {
        const upper: f32 = (1 - across) * load<f32>(p) + across * load<f32>(p + r)
        const lower: f32 = (1 - across) * load<f32>(p + d) + across * load<f32>(p + d + r)
        store<f32>(to, (1 - along) * upper + along * lower)
      }
    }
  }
}

export function flowWarpGradient(N: i32, C: i32, H: i32, W: i32, flow: usize, dy: usize, dx: usize): void {
  describe(N, C, H, W, dx, flow, dy)
  run(scatterPlane, N * C)
}

function scatterPlane(chunk: i32, _workspace: usize): void {
  const s = changetype<FlowWarp>(job)
  const plane = bytes(s.H * s.W)
  const flow = s.flow + <usize>(2 * (chunk / s.C)) * plane
  const dx = s.x + <usize>chunk * plane
  let from = s.y + <usize>chunk * plane
  fillValues(dx, s.H * s.W, 0)
  for (let row = 0; row < s.H; row++) {
    for (let column = 0; column < s.W; column++, from += 4) {
      if (!follow(s, flow, row, column)) continue
      const slope = load<f32>(from)
      const p = dx + place
      add(p, (1 - v) * (1 - u) * slope)
      add(p + right, (1 - v) * u * slope)
      add(p + down, v * (1 - u) * slope)
      add(p + down + right, v * u * slope)
    }
  }
}

@inline
function add(p: usize, value: f32): void {
  store<f32>(p, load<f32>(p) + value)
}

export function flowWarpFlowGradient(
  N: i32,
  C: i32,
  H: i32,
  W: i32,
  x: usize,
  flow: usize,
  dy: usize,
  dflow: usize,
): void {
  const s = describe(N, C, H, W, x, flow, dy)
  s.to = dflow
  run(slopeRows, N * s.blocks)
}

function slopeRows(chunk: i32, _workspace: usize): void {
  const s = changetype<FlowWarp>(job)
  const n = chunk / s.blocks
  const first = (chunk - n * s.blocks) * s.block
  const plane = bytes(s.H * s.W)
  const flow = s.flow + <usize>(2 * n) * plane
  const item = <usize>(n * s.C) * plane
  for (let row = first; row < smaller(s.H, first + s.block); row++) {
    for (let column = 0; column < s.W; column++) {
      const at = bytes(row * s.W + column)
      let across: f32 = 0
      let along: f32 = 0
      if (follow(s, flow, row, column)) {
        const r = right
        const d = down
        let p = s.x + item + place
        let dy = s.y + item + at
        for (let c = 0; c < s.C; c++, p += plane, dy += plane) {
          const slope = load<f32>(dy)
          const a = load<f32>(p)
          const b = load<f32>(p + r)
          const e = load<f32>(p + d)
          const f = load<f32>(p + d + r)
          across += slope * ((1 - v) * (b - a) + v * (f - e))
          along += slope * ((1 - u) * (e - a) + u * (f - b))
        }
      }
      const to = s.to + <usize>(2 * n) * plane + at
      store<f32>(to, across)
      store<f32>(to + plane, along)
    }
  }
}

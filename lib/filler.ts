import { type Blob, shapeText } from './blob.js'
import { NetError } from './errors.js'
import { fillGabor, gaborBanks } from './filler/gabor.js'
import type { FilledFillerParameter, FillerParameter, FillerType } from './generated/caffe.js'
import { withDefaults } from './proto/message.js'
import type { RandomStream } from './rng.js'
import { oneOf } from './system/names.js'

/** Checks the filler and gives what draws the values. */
type Filler = (blob: Blob, filler: FilledFillerParameter, stream: RandomStream) => (data: Float32Array) => void

/** The list of prototxt filler types. */
const fillers: Record<FillerType, Filler> = {
  constant,
  uniform,
  gaussian,
  positive_unitball: positiveUnitball,
  xavier,
  msra,
  bilinear,
  gabor,
}

/**
 * blob.data ← initial weights, as Caffe's fillers draw them; which numbers come out is a function of the stream alone.
 */
export function fillBlob(blob: Blob, filler: FillerParameter, stream: RandomStream): void {
  const fill = fillerOf(blob, filler, stream)
  blob.memory.data.claim()
  fill(blob.dataArray)
}

/**
 * The same when the values are first used: never, if others are loaded before. A filler that cannot be is refused now.
 */
export function fillBlobLater(blob: Blob, filler: FillerParameter, stream: RandomStream): void {
  blob.memory.data.fillLater(fillerOf(blob, filler, stream))
}

function fillerOf(blob: Blob, filler: FillerParameter, stream: RandomStream): (data: Float32Array) => void {
  const full = withDefaults('FillerParameter', filler)
  if (!Object.hasOwn(fillers, full.type))
    throw refused(blob, full, `there is no filler of that type${oneOf(full.type, Object.keys(fillers))}`)
  if (full.sparse !== -1 && full.type !== 'gaussian')
    throw refused(blob, full, `sparse: ${full.sparse} goes with type gaussian only`)
  return fillers[full.type](blob, full, stream)
}

/** value everywhere. */
function constant(_blob: Blob, { value }: FilledFillerParameter): (data: Float32Array) => void {
  return data => {
    data.fill(value)
  }
}

/** U[min, max). */
function uniform(blob: Blob, filler: FilledFillerParameter, stream: RandomStream): (data: Float32Array) => void {
  const { min, max } = filler
  if (!(min <= max)) throw refused(blob, filler, `min: ${min} is larger than max: ${max}`)
  return data => drawUniform(data, min, max, stream)
}

/** N(mean, std²); with `sparse`, all but an expected `sparse` of the weights to each input are 0. */
function gaussian(blob: Blob, filler: FilledFillerParameter, stream: RandomStream): (data: Float32Array) => void {
  const { mean, std, sparse } = filler
  if (!(std > 0)) throw refused(blob, filler, `std: ${std} must be positive; use type constant for equal values`)
  if (sparse === -1) return data => drawGaussian(data, mean, std, stream)
  const outputs = outputsOf(blob, filler)
  if (!(sparse >= 0 && sparse <= outputs))
    throw refused(blob, filler, `sparse: ${sparse} must lie between 0 and the number of outputs, ${outputs}`)
  return data => {
    drawGaussian(data, mean, std, stream)
    for (let i = 0; i < data.length; i++) if (stream.uniform() >= sparse / outputs) data[i] = 0
  }
}

/** U[0, 1), divided so that the weights of each output (axis 0) sum to 1. */
function positiveUnitball(
  blob: Blob,
  filler: FilledFillerParameter,
  stream: RandomStream,
): (data: Float32Array) => void {
  const inputs = blob.count / outputsOf(blob, filler)
  return data => {
    drawUniform(data, 0, 1, stream)
    for (let first = 0; first < data.length; first += inputs) {
      let sum = 0
      for (let i = first; i < first + inputs; i++) sum += data[i]
      // a sum of 0 has the probability 2⁻²⁴ for a single input; Caffe would divide by it
      for (let i = first; i < first + inputs; i++) data[i] = sum > 0 ? data[i] / sum : 1 / inputs
    }
  }
}

/** U[−a, a) with a = √(3/n): variance 1/n. */
function xavier(blob: Blob, filler: FilledFillerParameter, stream: RandomStream): (data: Float32Array) => void {
  const scale = Math.sqrt(3 / fan(blob, filler))
  return data => drawUniform(data, -scale, scale, stream)
}

/** N(0, 2/n). */
function msra(blob: Blob, filler: FilledFillerParameter, stream: RandomStream): (data: Float32Array) => void {
  const deviation = Math.sqrt(2 / fan(blob, filler))
  return data => drawGaussian(data, 0, deviation, stream)
}

/**
 * Every k×k plane ← (1 − |x/f − c|)·(1 − |y/f − c|), f = ⌈k/2⌉, c = (k − 1)/2f: interpolation weights for a
 * Deconvolution.
 */
function bilinear(blob: Blob, filler: FilledFillerParameter): (data: Float32Array) => void {
  if (blob.numAxes !== 4) throw refused(blob, filler, 'it fills blobs with four axes only')
  const k = blob.width
  if (blob.height !== k) throw refused(blob, filler, 'it fills square kernels only')
  const f = Math.ceil(k / 2)
  const c = (k - 1) / (2 * f)
  return data => {
    for (let i = 0; i < data.length; i++) {
      const x = i % k
      const y = Math.floor(i / k) % k
      data[i] = (1 - Math.abs(x / f - c)) * (1 - Math.abs(y / f - c))
    }
  }
}

/** Intel's Gabor filters: no chance in them, and only for the first convolution of nets that it knew. */
function gabor(blob: Blob, filler: FilledFillerParameter): (data: Float32Array) => void {
  const [count, channels, height, width] = blob.shape
  const bank = `${count}×${height}`
  if (blob.numAxes !== 4 || channels !== 3 || height !== width || !gaborBanks.includes(bank))
    throw refused(blob, filler, `there are filters of three channels, as many of this side: ${gaborBanks.join(', ')}`)
  return data => fillGabor(data, count, height)
}

/** n of xavier and msra: weights into one output (FAN_IN), out of one input (FAN_OUT), or the mean of the two. */
function fan(blob: Blob, filler: FilledFillerParameter): number {
  const fanIn = blob.count / outputsOf(blob, filler)
  const fanOut = blob.numAxes > 1 ? blob.count / Math.max(1, blob.dim(1)) : blob.count
  if (filler.variance_norm === 'FAN_OUT') return Math.max(1, fanOut)
  if (filler.variance_norm === 'AVERAGE') return Math.max(1, (fanIn + fanOut) / 2)
  return Math.max(1, fanIn)
}

function outputsOf(blob: Blob, filler: FilledFillerParameter): number {
  if (blob.numAxes === 0) throw refused(blob, filler, 'it needs at least one axis')
  return Math.max(1, blob.dim(0))
}

/** Random values drawn at a time: large layers have tens of millions of weights. Even, for pairs. */
const DRAWN = 4096

/** Call `use` with pieces of `data` and as many random uint32 each. */
function inPieces(
  data: Float32Array,
  stream: RandomStream,
  use: (piece: Float32Array, random: Uint32Array) => void,
): void {
  const random = new Uint32Array(Math.min(DRAWN, data.length))
  for (let begin = 0; begin < data.length; begin += DRAWN) {
    const piece = data.subarray(begin, begin + DRAWN)
    const drawn = random.subarray(0, piece.length)
    stream.uint32s(drawn)
    use(piece, drawn)
  }
}

/** 24 random bits each, as in RandomStream.uniform. */
function drawUniform(data: Float32Array, min: number, max: number, stream: RandomStream): void {
  inPieces(data, stream, (piece, random) => {
    for (let i = 0; i < piece.length; i++) piece[i] = min + (max - min) * ((random[i] >>> 8) / 0x1000000)
  })
}

/** Box–Muller, both values of each pair. */
function drawGaussian(data: Float32Array, mean: number, std: number, stream: RandomStream): void {
  inPieces(data, stream, (piece, random) => {
    for (let i = 0; i < piece.length; i += 2) {
      const radius = std * Math.sqrt(-2 * Math.log((random[i] + 1) / 0x100000000))
      // the last of an odd number takes the second half of its pair from the stream, too
      const angle = (2 * Math.PI * (i + 1 < piece.length ? random[i + 1] : stream.uint32())) / 0x100000000
      piece[i] = mean + radius * Math.cos(angle)
      if (i + 1 < piece.length) piece[i + 1] = mean + radius * Math.sin(angle)
    }
  })
}

function refused(blob: Blob, filler: FilledFillerParameter, why: string): NetError {
  return new NetError(
    `blob '${blob.name}' (${shapeText(blob.shape)}) cannot be filled with type '${filler.type}': ${why}`,
  )
}

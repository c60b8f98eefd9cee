import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { inputLayer } from '../shapes.js'
import { numbers, type RunOptions } from './run.js'

export interface HandOptions extends RunOptions {
  /** Number of tops; default 1. */
  tops?: number
  /** Top 0 is bottom 0. */
  inPlace?: boolean
  /** Values of the layer's blobs. */
  params?: readonly (readonly number[])[]
  /** Gradients of the tops (null: as the net set them); left out, no backward pass is run. */
  dy?: readonly (readonly number[] | null)[]
  /** false: gradients only where the net infers them. */
  force?: boolean
}

/** What a pass leaves: values and gradients of tops y, bottoms x and params w. */
export interface HandPass {
  readonly net: Net
  readonly y: number[][]
  readonly shapes: number[][]
  readonly dx: number[][]
  readonly w: number[][]
  readonly dw: number[][]
}

export interface Given {
  readonly shape: readonly number[]
  readonly values?: readonly number[]
}

/** A net of Input layers in0 … and one layer 'y' with the tops y0 …, of which `inside` gives type and parameters. */
export function handNet(
  inside: string,
  bottoms: readonly (readonly number[])[],
  options: HandOptions = {},
): Promise<Net> {
  const { engine = 'js', phase = 'TRAIN', seed = 1701, tops = 1, inPlace = false, force = true } = options
  const inputs = bottoms.map((shape, i) => inputLayer(`in${i}`, shape))
  const names = bottoms.map((_, i) => `bottom: "in${i}"`).join(' ')
  const outputs = Array.from({ length: tops }, (_, i) => `top: "${i === 0 && inPlace ? 'in0' : `y${i}`}"`).join(' ')
  const text = `force_backward: ${force} ${inputs.join('\n')}\nlayer { name: "y" ${names} ${outputs} ${inside} }`
  return Net.create(parseNet(text), { engine, phase, seed, threads: 2 })
}

/** One forward pass and, where top gradients are given, one backward pass. */
export async function handPass(
  inside: string,
  bottoms: readonly Given[],
  options: HandOptions = {},
): Promise<HandPass> {
  const net = await handNet(
    inside,
    bottoms.map(bottom => bottom.shape),
    options,
  )
  const params = net.params.y ?? []
  options.params?.forEach((values, i) => {
    params[i].dataArray.set(values)
  })
  bottoms.forEach(({ values }, i) => {
    // zeros where none are given: an input without values is no input
    net.blobs[`in${i}`].dataArray.set(values ?? [])
  })
  await net.forward()
  const tops = net.topNames.y.map(name => net.blobs[name])
  const y = tops.map(blob => numbers(blob.dataArray))
  if (options.dy) {
    net.clearParamDiffs()
    options.dy.forEach((values, i) => {
      if (values) tops[i].diffArray.set(values)
    })
    await net.backward()
  }
  return {
    net,
    y,
    shapes: tops.map(blob => blob.shape),
    dx: bottoms.map((_, i) => numbers(net.blobs[`in${i}`].diffArray)),
    w: params.map(blob => numbers(blob.dataArray)),
    dw: params.map(blob => numbers(blob.diffArray)),
  }
}

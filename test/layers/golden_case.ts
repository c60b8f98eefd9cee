// no vitest here: `npm run try` runs these cases without it
import { deepEqual, equal } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { expectClose, type Golden, type GoldenArray, goldenPath } from '../golden.js'

/** One recorded case of a layer type. */
export interface Case {
  name: string
  phase: 'TRAIN' | 'TEST'
  prototxt: string
  bottoms: (GoldenArray & { name: string; input?: string })[]
  params: GoldenArray[]
  params_from_filler?: boolean
  forwards?: number
  tops: (GoldenArray & { name: string })[]
  params_after?: GoldenArray[]
  backward: boolean
  top_diffs: (GoldenArray & { name: string })[] | null
  bottom_diffs?: ((GoldenArray & { name: string }) | null)[] | null
  param_diffs?: (GoldenArray | null)[] | null
  param_diffs_after_second_pass?: (GoldenArray | null)[] | null
  quirk?: { arrays: string[]; text: string }
  rtol: number
  atol: number
}

const read = async (path: string) => new Uint8Array(readFileSync(goldenPath(path)))

/**
 * Run a recorded case on an engine and compare what was recorded. Resolves to the largest difference as a share of what
 * the case allows.
 */
export async function runCase(golden: Golden<unknown>, c: Case, engine: string, type: string): Promise<number> {
  let worst = 0
  const net = await Net.create(parseNet(c.prototxt), { phase: c.phase, engine, seed: 1701, threads: 2, files: read })
  equal(net.engine.name, engine)
  const quirky = (array: string) =>
    c.quirk?.arrays.some(name => name === array || name.startsWith(`${array}[`) || array.startsWith(name)) ?? false
  const close = (got: ArrayLike<number>, expected: GoldenArray, what: string) => {
    if (quirky(what.split(' ')[0])) return
    const share = expectClose(got, golden.array(expected), c.rtol, c.atol, `${type} ${c.name} ${what}`)
    worst = Math.max(worst, share)
  }
  const params = net.params.layer ?? []
  if (c.params_from_filler) c.params.forEach((p, i) => close(params[i].dataArray, p, `params ${i} from filler`))
  else c.params.forEach((p, i) => params[i].dataArray.set(golden.array(p)))

  const setInputs = () => {
    for (const bottom of c.bottoms) net.blobs[bottom.input ?? bottom.name].dataArray.set(golden.array(bottom))
  }
  const pass = async () => {
    setInputs()
    await net.forward()
    await net.pull()
  }
  for (let i = 0; i < (c.forwards ?? 1); i++) await pass()

  for (const top of c.tops) {
    deepEqual(net.blobs[top.name].shape, top.shape, `${top.name} shape`)
    close(net.blobs[top.name].dataArray, top, `tops ${top.name}`)
  }
  c.params_after?.forEach((p, i) => close(params[i].dataArray, p, `params_after ${i}`))
  if (c.backward && c.top_diffs) {
    net.clearParamDiffs()
    await net.pull()
    await backward(golden, c, net, type, close)
    c.bottom_diffs?.forEach((d, i) => {
      if (d) close(net.blobs[c.bottoms[i].name].diffArray, d, `bottom_diffs ${d.name}`)
    })
    c.param_diffs?.forEach((d, i) => {
      if (d) close(params[i].diffArray, d, `param_diffs ${i}`)
    })
    if (c.param_diffs_after_second_pass?.length) {
      await pass()
      await backward(golden, c, net, type, close)
      c.param_diffs_after_second_pass.forEach((d, i) => {
        if (d) close(params[i].diffArray, d, `param_diffs_after_second_pass ${i}`)
      })
    }
  }
  net.dispose()
  return worst
}

async function backward(
  golden: Golden<unknown>,
  c: Case,
  net: Net,
  type: string,
  close: (got: ArrayLike<number>, expected: GoldenArray, what: string) => void,
): Promise<void> {
  c.top_diffs!.forEach((top, i) => {
    if (i === 0 && type.endsWith('Loss')) close(net.blobs[top.name].diffArray, top, `top_diffs ${top.name}`)
    else net.blobs[top.name].diffArray.set(golden.array(top))
  })
  await net.backward()
  await net.pull()
}

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { hostEngines } from '../engines.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'

interface Recorded {
  prototxt: string
  phase: 'TRAIN' | 'TEST'
  caffemodel: string
  inputs: string[]
  outputs: string[]
  blobs_after_forward: (GoldenArray & { name: string })[]
  rtol: number
  atol: number
}

describe.each([...hostEngines, 'gpu:webasm'])('nets of forks on %s', engine => {
  test.each(['pspnet', 'senet'])('%s gives every blob that its fork gave', async name => {
    const folder = `../golden-forks/nets/${name}/`
    const golden = new Golden<Recorded>(`${folder}${name}`)
    const { json } = golden
    const net = await Net.create(goldenPath(folder + json.prototxt), { phase: json.phase, engine, threads: 2 })
    expect(net.engine.name).toBe(engine)
    await net.copyFrom(new Uint8Array(readFileSync(goldenPath(folder + json.caffemodel))))
    const arrays = new Map(json.blobs_after_forward.map(array => [array.name, array]))
    await net.forward(Object.fromEntries(json.inputs.map(input => [input, golden.array(arrays.get(input)!)])))
    await net.pull()
    expect(json.outputs.every(output => arrays.has(output))).toBe(true)
    for (const [blob, array] of arrays) {
      expect(net.blobs[blob].shape).toEqual(array.shape)
      expectClose(net.blobs[blob].dataArray, golden.array(array), json.rtol, json.atol, `${name} ${blob}`)
    }
    net.dispose()
  })
})

import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { netOf } from './run.js'

const layer = (param: string) => `layer { name: "d" type: "DummyData" top: "a" top: "b" dummy_data_param { ${param} } }`

describe.each(hostEngines)('DummyData on %s', engine => {
  test('constants are filled once: what is written later stays', async () => {
    const net = await netOf([], layer('shape { dim: 2 } shape { dim: 1 dim: 3 } data_filler { value: 7 }'), { engine })
    expect([...net.blobs.a.dataArray, ...net.blobs.b.dataArray]).toEqual([7, 7, 7, 7, 7])
    net.blobs.a.dataArray.fill(1)
    await net.forward()
    expect([...net.blobs.a.dataArray]).toEqual([1, 1])
  })

  test('random tops are new in every pass, and the same for the same seed', async () => {
    const param = 'shape { dim: 50 } data_filler { type: "uniform" min: 2 max: 3 } data_filler { type: "gaussian" }'
    const runs: Float32Array[] = []
    for (let run = 0; run < 2; run++) {
      const net = await netOf([], layer(param), { engine, seed: 9 })
      for (let pass = 0; pass < 2; pass++) {
        await net.forward()
        runs.push(Float32Array.from([...net.blobs.a.dataArray, ...net.blobs.b.dataArray]))
      }
    }
    expect(runs[2]).toEqual(runs[0])
    expect(runs[3]).toEqual(runs[1])
    expect(runs[1]).not.toEqual(runs[0])
    expect(Math.min(...runs[0].subarray(0, 50))).toBeGreaterThanOrEqual(2)
    expect(Math.max(...runs[0].subarray(0, 50))).toBeLessThan(3)
  })

  test('the old fields, once or once per top', async () => {
    const net = await netOf([], layer('num: 2 num: 1 channels: 3 height: 1 height: 5 width: 4'), { engine })
    expect([net.blobs.a.shape, net.blobs.b.shape]).toEqual([
      [2, 3, 1, 4],
      [1, 3, 5, 4],
    ])
  })
})

test('what is refused', async () => {
  await expect(netOf([], layer(''))).rejects.toThrow(/layer 'd' \(DummyData\): shape is given 0 times for 2 tops/)
  await expect(netOf([], layer('shape { dim: 2 } num: 1'))).rejects.toThrow(/write only one of the two forms/)
  await expect(netOf([], layer('num: 1 channels: 1 height: 1'))).rejects.toThrow(/width is given 0 times/)
  await expect(netOf([], layer(`shape { dim: 2 } ${'data_filler { } '.repeat(3)}`))).rejects.toThrow(
    /data_filler is given 3 times/,
  )
  await expect(netOf([], layer('shape { dim: 2 } data_filler { type: "nope" }'))).rejects.toThrow(/type 'nope'/)
})

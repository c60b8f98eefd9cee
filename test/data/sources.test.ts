import { describe, expect, it } from 'vitest'
import { arrayOf, excess, golden, netOf, type SourceCase } from './golden_io.js'

describe('what data layers hand out', () => {
  it.each((golden.sources as SourceCase[]).map(c => [c.name, c] as const))(
    '%s',
    async (_, { phase, prototxt, rtol, atol, forwards }) => {
      const net = await netOf(prototxt, phase)
      for (const [number, expected] of forwards.entries()) {
        await net.forward()
        for (const [blob, array] of Object.entries(expected)) {
          const { shape, dataArray } = net.blobs[blob]
          expect(shape, `${blob} of forward ${number}`).toEqual(array.shape)
          if (array.offset === undefined) expect(dataArray.reduce((sum, x) => sum + x, 0)).toBe(array.sum)
          else
            expect(excess(dataArray, arrayOf(array), rtol, atol), `${blob} of forward ${number}`).toBeLessThanOrEqual(0)
        }
      }
      net.dispose()
    },
  )
})

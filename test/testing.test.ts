import { describe, expect, test } from 'vitest'
import type { Blob } from '../lib/blob.js'
import { Layer } from '../lib/layer.js'
import { type BottomSpec, CheckError, checkGradient, checkLayer } from '../lib/testing.js'

/** y = w·x with one learned w, in plain host code; each subclass below spoils one thing. */
class ScaledLayer extends Layer {
  override readonly bottomCount = { exactly: 1 }
  override readonly topCount = { exactly: 1 }

  override setup(): void {
    this.addBlob([1], { value: 2 })
  }
  override reshape(bottom: Blob[], top: Blob[]): void {
    top[0].reshapeLike(bottom[0])
  }
  override forward(bottom: Blob[], top: Blob[]): void {
    const [w] = this.blobs[0].dataArray
    bottom[0].dataArray.forEach((x, i) => {
      top[0].dataArray[i] = w * x
    })
  }
  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const [w] = this.blobs[0].dataArray
    top[0].diffArray.forEach((dy, i) => {
      if (this.paramPropagateDown[0]) this.blobs[0].diffArray[0] += dy * bottom[0].dataArray[i]
      if (propagateDown[0]) bottom[0].diffArray[i] = dy * w
    })
  }
}

const bottoms: BottomSpec[] = [[2, 3]]

test('a right layer passes, on both kinds of engine, and the report says what was done', async () => {
  for (const engine of ['js', 'js:float64', 'wasm']) {
    const report = await checkLayer(ScaledLayer, { bottoms, engine })
    expect(report.engine).toBe(engine)
    expect(report.checks).toHaveLength(5)
    // 6 tops by 6 bottom values and 1 weight
    expect(report.gradient).toMatchObject({ engine: 'js:float64', compared: 42, skipped: 0 })
    expect(report.gradient!.worst).toBeLessThan(1e-9)
  }
  expect((await checkGradient(ScaledLayer, { bottoms, mode: 'projected' })).compared).toBe(7)
  expect((await checkGradient(ScaledLayer, { bottoms, engine: 'wasm' })).worst).toBeLessThan(1e-3)
})

describe('a wrong layer is found, with the place', () => {
  const failure = async (layer: typeof ScaledLayer, options: object = {}): Promise<CheckError> => {
    const error = await checkLayer(layer, { bottoms, ...options }).then(
      () => undefined,
      e => e,
    )
    expect(error).toBeInstanceOf(CheckError)
    return error
  }

  test('a gradient that is wrong at one place', async () => {
    const error = await failure(
      class Wrong extends ScaledLayer {
        override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
          super.backward(top, propagateDown, bottom)
          if (propagateDown[0]) bottom[0].diffArray[4] *= 1.1
        }
      },
    )
    expect(error).toMatchObject({ layer: 'Wrong', blob: 'bottom[0]', index: [1, 1] })
    expect(error.message).toMatch(
      /layer Wrong on js:float64: ∂top\[0\]\[1, 1\] \/ ∂bottom\[0\]\[1, 1\] is .* by backward/,
    )
  })

  test('a param gradient that overwrites', async () => {
    const error = await failure(
      class extends ScaledLayer {
        override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
          if (this.paramPropagateDown[0]) this.blobs[0].diffArray[0] = 0
          super.backward(top, propagateDown, bottom)
        }
      },
    )
    expect(error).toMatchObject({ blob: 'blobs[0].diff', index: [0] })
  })

  test('a bottom gradient that adds up', async () => {
    const error = await failure(
      class extends ScaledLayer {
        override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
          const old = bottom[0].diffArray.slice()
          super.backward(top, propagateDown, bottom)
          if (propagateDown[0]) for (const [i, value] of old.entries()) bottom[0].diffArray[i] += value
        }
      },
    )
    expect(error).toMatchObject({ blob: 'bottom[0].diff', index: [0, 0] })
    expect(error.message).toMatch(/a second pass/)
  })

  test('propagateDown that is not obeyed', async () => {
    const error = await failure(
      class extends ScaledLayer {
        override backward(top: Blob[], _propagateDown: boolean[], bottom: Blob[]): void {
          super.backward(top, [true], bottom)
        }
      },
    )
    expect(error.message).toMatch(/propagateDown false/)
  })

  test('a bottom that is written to', async () => {
    const error = await failure(
      class extends ScaledLayer {
        override forward(bottom: Blob[], top: Blob[]): void {
          super.forward(bottom, top)
          bottom[0].dataArray[5] = 0
        }
      },
    )
    expect(error).toMatchObject({ blob: 'bottom[0]', index: [1, 2] })
  })

  test('state left over from the shape before', async () => {
    const error = await failure(
      class extends ScaledLayer {
        private factors: Float32Array | undefined
        override forward(bottom: Blob[], top: Blob[]): void {
          super.forward(bottom, top)
          this.factors ??= bottom[0].dataArray.map((_, i) => 1 + i)
          top[0].dataArray.forEach((y, i) => {
            top[0].dataArray[i] = y * (this.factors![i] ?? 1)
          })
        }
        override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
          top[0].diffArray.forEach((dy, i) => {
            top[0].diffArray[i] = dy * (this.factors![i] ?? 1)
          })
          super.backward(top, propagateDown, bottom)
          top[0].diffArray.forEach((dy, i) => {
            top[0].diffArray[i] = dy / (this.factors![i] ?? 1)
          })
        }
      },
    )
    expect(error.message).toMatch(/change of shape to 3×3/)
  })

  test('numbers that differ from pass to pass', async () => {
    const error = await failure(
      class extends ScaledLayer {
        private count = 0
        override forward(bottom: Blob[], top: Blob[]): void {
          super.forward(bottom, top)
          top[0].dataArray[0] += this.count++
        }
      },
    )
    expect(error).toMatchObject({ blob: 'top[0]', index: [0, 0] })
  })

  test('a value that is not finite', async () => {
    const error = await failure(
      class extends ScaledLayer {
        override forward(bottom: Blob[], top: Blob[]): void {
          super.forward(bottom, top)
          top[0].dataArray[2] = 1 / 0
        }
      },
    )
    expect(error).toMatchObject({ blob: 'top[0]', index: [0, 2] })
  })

  test('elementwise mode refuses a layer that mixes values', async () => {
    class Mixed extends ScaledLayer {
      override forward(bottom: Blob[], top: Blob[]): void {
        super.forward(bottom, top)
        top[0].dataArray[0] += bottom[0].dataArray[1]
      }
      override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
        super.backward(top, propagateDown, bottom)
        if (propagateDown[0]) bottom[0].diffArray[1] += top[0].diffArray[0]
      }
    }
    await checkGradient(Mixed, { bottoms, threshold: 1e-3 })
    await expect(checkGradient(Mixed, { bottoms, mode: 'elementwise' })).rejects.toThrow(CheckError)
  })
})

test('inputs near a kink are left out', async () => {
  class AbsLayer extends ScaledLayer {
    override setup(): void {}
    override forward(bottom: Blob[], top: Blob[]): void {
      bottom[0].dataArray.forEach((x, i) => {
        top[0].dataArray[i] = Math.abs(x)
      })
    }
    override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
      if (!propagateDown[0]) return
      top[0].diffArray.forEach((dy, i) => {
        bottom[0].diffArray[i] = bottom[0].dataArray[i] > 0 ? dy : -dy
      })
    }
  }
  const spec = [{ shape: [3], values: [0.001, 1, -2] }]
  await expect(checkGradient(AbsLayer, { bottoms: spec })).rejects.toThrow(/∂bottom\[0\]\[0\]/)
  expect(await checkGradient(AbsLayer, { bottoms: spec, kinkRange: 0.01 })).toMatchObject({ compared: 6, skipped: 1 })
})

/** A chart of a training with many points, for bench/studio/main.ts. */
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { Chart } from '../../lib/studio/page/parts/chart.js'
import type { Line } from '../../lib/studio/page/parts/series.js'

/** Milliseconds of work from a new point to the drawing that has it, `times` times. */
async function updates(points: number, times: number): Promise<number[]> {
  const x = Array.from({ length: points }, (_, i) => i)
  const loss = x.map(i => 2 / (1 + i / 1000) + 0.2 * Math.random())
  const accuracy = x.map(i => 1 - 1 / (1 + i / 500))
  const root = document.body.appendChild(document.createElement('main'))
  const draw = (): void => {
    const lines: Line[] = [
      { label: 'loss', x: [...x], y: [...loss], axis: 'left', color: 0 },
      { label: 'accuracy', x: [...x], y: [...accuracy], axis: 'right', color: 1 },
    ]
    render(<Chart title="loss" xLabel="iteration" lines={lines} />, root)
  }
  draw()
  // its width is known a moment later
  await new Promise(resolve => setTimeout(resolve, 1000))
  const found: number[] = []
  for (let turn = 0; turn < times; turn++) {
    x.push(x.length)
    loss.push(0.1)
    accuracy.push(0.99)
    const begun = performance.now()
    // effects at once, and then the drawing, which the chart leaves to a microtask
    await act(draw)
    await new Promise<void>(resolve => queueMicrotask(resolve))
    found.push(performance.now() - begun)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return found
}

Object.assign(globalThis, { updates })

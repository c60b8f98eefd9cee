import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()
const library = pathToFileURL(join(import.meta.dirname, '../../lib/index.ts')).href

const file = join(folder, 'layers.mjs')
writeFileSync(
  file,
  `import { Layer, parseParamStr } from '${library}'
  export class Doubled extends Layer {
    bottomCount = { exactly: 1 }
    topCount = { exactly: 1 }
    reshape(bottom, top) { top[0].reshapeLike(bottom[0]) }
    forward(bottom, top) { bottom[0].dataArray.forEach((x, i) => { top[0].dataArray[i] = 2 * x }) }
    backward(top, propagateDown, bottom) { if (propagateDown[0]) top[0].diffArray.forEach((dy, i) => { bottom[0].diffArray[i] = 2 * dy }) }
  }
  export class Wrong extends Doubled {
    backward(top, propagateDown, bottom) { if (propagateDown[0]) top[0].diffArray.forEach((dy, i) => { bottom[0].diffArray[i] = i === 5 ? 0 : 2 * dy }) }
  }
  export class Loss extends Layer {
    bottomCount = { exactly: 2 }
    topCount = { exactly: 1 }
    isLoss = true
    allowsForceBackward(i) { return i === 0 }
    setup() { this.margin = parseParamStr(this.paramStr).margin; if (!(this.margin > 0)) throw this.error('param_str must give a margin') }
    reshape(bottom, top) {
      if (bottom[1].count !== bottom[0].dim(0)) throw this.error('one label an item, please')
      top[0].reshape([])
    }
    forward([x, label], [loss]) {
      let sum = 0
      const { dataArray } = x
      for (let i = 0; i < x.dim(0); i++) sum += this.margin * dataArray[i * x.size(1) + label.dataArray[i]]
      loss.dataArray[0] = sum
    }
    backward([loss], [wanted], [x, label]) {
      if (!wanted) return
      x.diffArray.fill(0)
      for (let i = 0; i < x.dim(0); i++) x.diffArray[i * x.size(1) + label.dataArray[i]] = this.margin * loss.diffArray[0]
    }
  }`,
)

describe('check-layer', () => {
  it('reports what was checked, on the engine that was asked for', async () => {
    const { code, out } = await cli('check-layer', file, '--layer', 'Doubled', '--in-place', '--engine', 'js')
    expect(code).toBe(0)
    expect(out).toMatch(/^✓ Doubled on js\n {2}passes repeat bit for bit\n/)
    expect(out).toContain('works in place')
    // 120 by 120 values of 2×3×4×5
    expect(out).toContain('14400 derivatives agree')
  })

  it('finds the wrong one among them, with the place, and fails', async () => {
    const { code, out, err } = await cli('check-layer', file, '--layer', 'Doubled,Wrong', '--bottom', '2,4')
    expect(code).toBe(1)
    expect(err).toBe(`ristretto: ${file}: Wrong failed\n`)
    expect(out).toMatch(/^✓ Doubled on wasm\n/)
    expect(out).toMatch(/\n✗ Wrong\n.*∂top\[0\]\[1, 1\] \/ ∂bottom\[0\]\[1, 1\] is 0 by backward, 2/)
  })

  it('labels and param_str', async () => {
    const loss = ['check-layer', file, '--layer', 'Loss', '--bottom', '4x10', '--bottom', '4:labels=10']
    const { code, out } = await cli(...loss, '--param_str', "{'margin': 0.5}", '--json')
    expect(code).toBe(0)
    const [{ layer, passed, report }] = JSON.parse(out)
    expect({ layer, passed, compared: report.gradient.compared }).toEqual({ layer: 'Loss', passed: true, compared: 40 })
    const without = await cli(...loss)
    expect(without).toMatchObject({ code: 1, out: expect.stringContaining('param_str must give a margin') })
    const bottoms = await cli('check-layer', file, '--layer', 'Loss', '--param_str', "{'margin': 0.5}")
    expect(bottoms).toMatchObject({
      code: 1,
      out: expect.stringMatching(/one label an item, please \(the bottoms were 2×3×4×5; --bottom/),
    })
  })

  it.each([
    [[file, '--layer', 'Halved'], 1, "exports no layer 'Halved', but Doubled, Wrong, Loss"],
    [['missing.js'], 1, 'ristretto: missing.js: there is no such file'],
    [[file, '--bottom', 'two'], 2, 'It must be sizes'],
    [[file, '--param', 'relu_param { negative_slop: 1 }'], 2, "did you mean 'negative_slope'?"],
    [[], 2, "missing required argument 'file'"],
  ])('%j', async (argv, code, message) => {
    expect(await cli('check-layer', ...argv)).toMatchObject({ code, err: expect.stringContaining(message) })
  })
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runModule, trainTiny } from './helpers.js'

/** Node's counterpart of a content security policy without 'unsafe-eval'. */
const strict = ['--disallow-code-generation-from-strings']

const lenet = join(import.meta.dirname, '../golden/nets/lenet')

describe('without code generation from strings', () => {
  it('the flag does what the policy does', () => {
    const { code, err } = runModule('eval.mjs', 'new Function("return 1")()', strict)
    expect(code).not.toBe(0)
    expect(err).toContain('EvalError')
  })

  it.each(['js', 'wasm'])('a net made from a parsed description trains, runs and is saved (%s)', engine => {
    const { code, out, err } = runModule(
      `csp_${engine}.mjs`,
      `import { Net, SGDSolver } from 'ristretto'
       const engine = '${engine}'
       ${trainTiny}
       const copy = await Net.create(net, { engine })
       await copy.copyFrom(model)
       copy.blobs['data'].dataArray.set(points.flat())
       const { loss } = await copy.forward({ label: points.map(([a, b]) => a ^ b) })
       console.log(JSON.stringify({ engine: copy.engine.name, first, last, copied: loss.data[0], bytes: state.length }))`,
      strict,
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const report = JSON.parse(out)
    expect(report.engine).toBe(engine)
    expect(report.last).toBeLessThan(0.05)
    expect(report.copied).toBeLessThan(0.05)
  })

  it('prototxts and models from Caffe are read and printed', () => {
    const prototxt = readFileSync(join(import.meta.dirname, '../golden/nets/prototxt/lenet.prototxt'), 'utf8')
    const { code, out, err } = runModule(
      'csp_text.mjs',
      `import { Net, parseNet, printNet } from 'ristretto'
       const param = parseNet(${JSON.stringify(prototxt)})
       const net = await Net.create(parseNet(printNet(param)), { phase: 'TEST' })
       const { loaded } = await net.copyFrom(${JSON.stringify(join(lenet, 'lenet.caffemodel'))})
       console.log(loaded.join())`,
      strict,
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toBe('conv1,conv2,ip1,ip2\n')
  })

  it('answers are plain objects with data and shape: ndarray makes its methods with new Function', () => {
    const { code, out, err } = runModule(
      'csp_ndarray.mjs',
      `import { Net } from 'ristretto'
       const net = await Net.create({ layer: [{ name: 'data', type: 'Input', top: ['data'], input_param: { shape: [{ dim: [1, 2] }] } }] })
       const { data } = await net.forward({ data: [[3, 4]] })
       for (const array of [data, net.blobs['data'].data]) console.log([...array.data].join(), array.shape.join(), array.stride.join(), typeof array.get)`,
      strict,
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toBe('3,4 1,2 2,1 undefined\n'.repeat(2))
  })
})

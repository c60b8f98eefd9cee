import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()
const zoo = join(folder, 'zoo')
mkdirSync(join(zoo, 'deep'), { recursive: true })
const input = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }\n'
const good = join(zoo, 'good.prototxt')
writeFileSync(good, `${input}layer { name: "r" type: "ReLU" bottom: "x" top: "r" relu_param { engine: MKLDNN } }`)
writeFileSync(join(zoo, 'deep/crf.prototxt'), `${input}layer { name: "c" type: "DenseCRF" bottom: "x" top: "c" }`)
writeFileSync(join(zoo, 'deep/bad.prototxt'), 'layer { name: 3 }')
writeFileSync(join(zoo, 'deep/readme.txt'), 'not a net')

describe('check', () => {
  it('reports on one net', async () => {
    const { code, out, err } = await cli('check', good, '--run')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/good\.prototxt: net\n\nTEST: it can be made, forward finite\n/)
    expect(out).toMatch(/^r +ReLU +1×2×4×4/m)
  })

  it('says what is missing, and fails', async () => {
    const file = join(zoo, 'deep/crf.prototxt')
    const { code, out, err } = await cli('check', file)
    expect(code).toBe(1)
    expect(out).toMatch(
      /error: layer 'c' has the type 'DenseCRF' of PSPNet and DeepLab .*\(line 2\)\n\nTEST: it cannot be made\n$/,
    )
    expect(err).toBe(`ristretto: ${file} cannot be used as it is\n`)
  })

  it('prints a table of a folder, with reasons', async () => {
    const { code, out, err } = await cli('check', zoo)
    expect(code).toBe(1)
    expect(out).toMatch(/^deep\/bad\.prototxt +net +no/m)
    expect(out).toMatch(/^deep\/crf\.prototxt +net +yes +TEST not made +1$/m)
    expect(out).toMatch(/^good\.prototxt +net +yes +TEST ok +0 +256 B$/m)
    expect(out).toMatch(/^3 files: 2 can be read, 1 can be used as they are$/m)
    expect(out).toMatch(/^ {3}1 {2}type DenseCRF$/m)
    expect(err).toBe('ristretto: 2 of 3 files cannot be used as they are\n')
  })

  it('as JSON', async () => {
    const one = JSON.parse((await cli('check', good, '--json')).out)
    expect(one).toMatchObject({ kind: 'net', parsed: true, phases: [{ phase: 'TEST', built: true }] })
    expect(JSON.parse((await cli('check', zoo, '--json')).out)).toHaveLength(3)
  })
})

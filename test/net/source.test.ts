import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { LmdbReader } from '../../lib/data/lmdb.js'
import { FormatError, RistrettoError } from '../../lib/errors.js'
import type { NetFormat } from '../../lib/net/files.js'
import { Net } from '../../lib/net.js'
import { Classifier } from '../../lib/pycaffe/classifier.js'
import { Detector } from '../../lib/pycaffe/detector.js'
import { AdamSolver, createSolver, SGDSolver } from '../../lib/solver/rules/index.js'
import { inputLayer } from '../shapes.js'

const net = `
  ${inputLayer('data', '2×1×4×4')}
  layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }`
const bytesOf = (text: string) => new TextEncoder().encode(text)

describe('a prototxt may be given as bytes', () => {
  test('for a net, whose files are then found by the files option alone', async () => {
    const made = await Net.create(bytesOf(net), { engine: 'js' })
    expect(made.layerNames).toEqual(['data', 'ip'])
    await expect(Net.create(bytesOf('layer { nmae: "data" }'))).rejects.toThrow(/^the given bytes:1: .*nmae/)
    await expect(Net.create(await made.toBytes())).rejects.toThrow(FormatError)
  })

  test('for a solver, whose class its type names', async () => {
    const solver = bytesOf(`net: "a net" type: "Adam" base_lr: 0.1 lr_policy: "fixed"`)
    const files = (path: string) => (path === 'a net' ? bytesOf(net) : undefined)
    expect((await createSolver(solver, { engine: 'js', files })).constructor.name).toBe('AdamSolver')
    expect((await AdamSolver.create(solver, { engine: 'js', files })).net.layerNames).toEqual(['data', 'ip'])
    await expect(SGDSolver.create(solver, { engine: 'js', files })).rejects.toThrow("its type is 'Adam'")
  })

  test('for a classifier and a detector', async () => {
    expect((await Classifier.create(bytesOf(net), { engine: 'js' })).net.outputs).toEqual(['ip'])
    expect((await Detector.create(bytesOf(net), { engine: 'js' })).net.outputs).toEqual(['ip'])
  })
})

describe('what the system refuses is an error of the library', () => {
  const folder = fileURLToPath(new URL('..', import.meta.url))

  test('a folder in place of a file', async () => {
    await expect(Net.create(folder, { engine: 'js' })).rejects.toThrow(/^cannot read '.*: it is a folder/)
    const made = await Net.create(bytesOf(net), { engine: 'js' })
    const saved = made.save(join(folder, 'golden'))
    await expect(saved).rejects.toThrow(/^cannot write '.*golden': /)
    await expect(saved).rejects.toThrow(RistrettoError)
    await expect(made.save(join(fileURLToPath(import.meta.url), 'a.caffemodel'))).rejects.toThrow(
      /^cannot write '.*a\.caffemodel': /,
    )
    expect(readdirSync(folder).filter(name => name.endsWith('.tmp'))).toEqual([])
  })

  test('a database that is not there', async () => {
    const missing = LmdbReader.open(join(folder, 'golden'))
    await expect(missing).rejects.toThrow(RistrettoError)
    await expect(missing).rejects.toThrow(/^cannot read '.*data\.mdb': ENOENT/)
  })

  test('a server that does not answer', async () => {
    const nobody = Net.create('http://127.0.0.1:9/deploy.prototxt', { engine: 'js' })
    await expect(nobody).rejects.toThrow(RistrettoError)
    await expect(nobody).rejects.toThrow(/^cannot read http:\/\/127\.0\.0\.1:9\/deploy\.prototxt: /)
  })

  test('two writes of one file at a time leave one whole file', async () => {
    const made = await Net.create(bytesOf(net), { engine: 'js' })
    const path = join(mkdtempSync(join(tmpdir(), 'ristretto-sources-')), 'a.caffemodel')
    await Promise.all([made.save(path), made.save(path), made.save(path)])
    expect(Buffer.compare(readFileSync(path), await made.toBytes())).toBe(0)
    rmSync(dirname(path), { recursive: true })
  })
})

test('an empty file is no net and no model', async () => {
  await expect(Net.create(new Uint8Array(), { engine: 'js' })).rejects.toThrow('it is empty, so it is no net')
  await expect(Net.create(bytesOf(net), { engine: 'js', weights: new Uint8Array() })).rejects.toThrow(FormatError)
})

test('a model is asked for in a format that exists', async () => {
  const made = await Net.create(bytesOf(net), { engine: 'js' })
  const odd = made.toBytes({ format: 'h5' as NetFormat })
  await expect(odd).rejects.toThrow("unknown format 'h5': it is 'caffemodel', 'hdf5', 'onnx' or 'zip'")
  await expect(odd).rejects.toThrow(RistrettoError)
})

test('a name with the ending of something else is not saved under', async () => {
  const made = await Net.create(bytesOf(net), { engine: 'js' })
  for (const name of ['model.h', 'model.hdf5', 'a.b/model.prototxt'])
    await expect(made.save(name), name).rejects.toThrow(/is the ending of no format of models: \.caffemodel, /)
})

/** What of a net Caffe 1.0 does not know: refused together where it changes results, with the fork that it comes from. */
import { describe, expect, test } from 'vitest'
import type { RistrettoError } from '../../lib/errors.js'
import { schema as tables } from '../../lib/generated/caffe.js'
import { type Blob, Layer, Net, parseNet, registerLayer } from '../../lib/index.js'
import { fieldFindings } from '../../lib/net/findings.js'
import { Schema } from '../../lib/proto/fields.js'
import { forkFields } from '../../lib/proto/forks.js'
import { fetchClasses } from '../../lib/registry.js'

const input = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }\n'
const refusal = async (text: string): Promise<RistrettoError> =>
  Net.create(parseNet(input + text, { file: 'a.prototxt' }), { engine: 'js' }).then(
    () => {
      throw new Error('it was taken')
    },
    error => error as RistrettoError,
  )

test('every unknown field and type is named at once, with its place', async () => {
  const error = await refusal(`layer { name: "a" type: "Pooling" bottom: "x" top: "a"
  pooling_param { kernel_size: 2 wobble: 3 } }
layer { name: "b" type: "PriorBoxes" bottom: "a" top: "b" }
layer { name: "c" type: "DenseCRF" bottom: "b" top: "c" }
layer { name: "d" type: "ReLU" bottom: "c" top: "d" strange_param { a: 1 } }
layer { name: "e" type: "ELU" bottom: "d" top: "e" elu_param { lambda: 2 } }
layer { name: "f" type: "ELU" bottom: "e" top: "f" elu_param { lambda: 2 } }
`)
  expect(error.causes.map(cause => cause.line)).toEqual([3, 4, 5, 6, 7])
  const [wobble, priorBoxes, crf, strange, lambda] = error.causes.map(cause => cause.message)
  expect(wobble).toMatch(/^layer 'a' \(Pooling\): pooling_param.wobble: PoolingParameter has no field 'wobble'/)
  expect(priorBoxes).toMatch(/unknown type 'PriorBoxes'/)
  expect(crf).toMatch(
    /'DenseCRF' of PSPNet and DeepLab \(hszhao\) \(a conditional random field over a picture\), which is not here/,
  )
  expect(strange).toMatch(/'strange_param'; what it would change is not known/)
  expect(lambda).toMatch(/elu_param.lambda of NVCaffe .*not understood here: it scales the result \(2 layers have it\)/)
})

describe('what changes nothing is no mistake', () => {
  test.each([
    ['an engine', 'type: "Pooling" pooling_param { kernel_size: 2 engine: MKL2017 }'],
    ['an engine that nobody has', 'type: "Pooling" pooling_param { kernel_size: 2 engine: WARP9 }'],
    ['numbers of int8', 'type: "Pooling" pooling_param { kernel_size: 2 } quantization_param { bw_params: 8 }'],
    ['a value that is the default', 'type: "Pooling" pooling_param { kernel_size: 2 avg_include_pad: true }'],
    ['a message of another layer', 'type: "Pooling" pooling_param { kernel_size: 2 } elu_param { lambda: 2 }'],
    ['NVIDIA, before the type', 'forward_type: FLOAT16 type: "Pooling" pooling_param { kernel_size: 2 }'],
  ])('%s', async (_, text) => {
    const net = await Net.create(parseNet(`${input}layer { name: "a" bottom: "x" top: "a" ${text} }`), { engine: 'js' })
    expect(net.blobs['a'].shape).toEqual([1, 2, 3, 3])
  })
})

test('fields of data layers are notes where the data comes from elsewhere', async () => {
  const net =
    parseNet(`layer { name: "d" type: "Data" top: "x" transform_param { emit_constraint { emit_overlap: 1 } } }
layer { name: "p" type: "Pooling" bottom: "x" top: "y" pooling_param { avg_include_pad: false } }`)
  await fetchClasses(net.layer!)
  expect(fieldFindings(net).map(({ severity }) => severity)).toEqual(['error', 'error'])
  expect(fieldFindings(net, { fed: true })).toMatchObject([
    {
      severity: 'note',
      layer: 'd',
      type: 'Data',
      field: 'transform_param.emit_constraint',
      fork: 'SSD (weiliu89/caffe)',
    },
    { severity: 'error', layer: 'p', type: 'Pooling', field: 'pooling_param.avg_include_pad', fork: 'Intel Caffe' },
  ])
})

test('a class that a program registers is handed what is unknown', async () => {
  registerLayer(
    'Taker',
    class extends Layer {
      reshape(bottom: Blob[], top: Blob[]) {
        top[0].reshapeLike(bottom[0])
      }
      forward() {}
    },
  )
  const text = 'layer { name: "t" type: "Taker" bottom: "x" top: "y" taker_param { a: 1 } }'
  await Net.create(parseNet(input + text), { engine: 'js' })
})

test('a suggestion is near in spelling and of the same kind', async () => {
  const message = async (type: string) =>
    (await refusal(`layer { name: "a" type: "${type}" bottom: "x" top: "y" }`)).message
  expect(await message('Poolling')).toContain("did you mean 'Pooling'?")
  // what has bottoms is no source
  expect(await message('HDF5Dada')).not.toContain('did you mean')
  expect(() => parseNet('layer { botom: "x" }')).toThrow(/did you mean 'bottom'/)
  // a value is no message
  expect(fieldFindings(parseNet('layer { relux_param: 3 }'))[0].message).not.toContain('did you mean')
  expect(fieldFindings(parseNet('layer { relux_param { a: 3 } }'))[0].message).toContain("did you mean 'relu_param'")
  expect(await message('DenseCRF')).not.toContain('did you mean')
})

test('every field that forks added to a message of Caffe is in the list', () => {
  // one to which no class has added anything
  const schema = new Schema(tables)
  const added = schema.names.flatMap(message =>
    schema
      .message(message)
      .fields.filter(field => field.fork)
      .map(field => `${message}.${field.name}`),
  )
  const messages = added.filter(path => /^(LayerParameter|V1LayerParameter)\..*_param$/.test(path))
  const listed = new Set(forkFields.keys())
  // a state is what training left, not what somebody asks for
  expect(
    added.filter(path => !path.startsWith('SolverState.') && !listed.has(path) && !messages.includes(path)),
  ).toEqual([])
  expect([...listed].filter(path => !added.includes(path))).toEqual([])
})

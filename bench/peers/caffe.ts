import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { FillerParameter, LayerParameter } from '../../lib/generated/caffe.js'
import { printNet } from '../../lib/index.js'
import { parseCaffeTime, withoutData } from '../caffe_log.js'
import { describe, stateOf } from '../nets/index.js'
import { type Peer, Refusal } from '../protocol.js'

const run = promisify(execFile)
const ITERATIONS = 10

/**
 * BVLC Caffe's own `caffe time`, from the binary that BENCH_CAFFE names. Every sample is a run of it, its data layers
 * left out.
 */
export const caffe: Peer = {
  async create({ net, mode, batch }, threads) {
    const binary = process.env.BENCH_CAFFE
    if (!binary || mode === 'gemm') throw new Refusal('BENCH_CAFFE names no caffe binary')
    const folder = await mkdtemp(join(tmpdir(), 'bench-caffe-'))
    const model = join(folder, `${net}.prototxt`)
    const param = describe(net, batch)
    const dataLayers = (param.layer ?? []).filter(layer => layer.type === 'Input').map(layer => layer.name!)
    param.layer = param.layer!.map(dummyData)
    await writeFile(model, printNet(param))
    const { phase, stages } = stateOf(mode)
    const args = [
      'time',
      `-model=${model}`,
      `-phase=${phase}`,
      `-iterations=${ITERATIONS}`,
      ...(stages.length ? [`-stage=${stages.join()}`] : []),
    ]
    const env = {
      ...process.env,
      OPENBLAS_NUM_THREADS: String(threads),
      OMP_NUM_THREADS: String(threads),
      MKL_NUM_THREADS: String(threads),
    }
    const remove = () => rm(folder, { recursive: true, force: true })
    return {
      detail: `caffe time, BLAS on ${threads} thread${threads === 1 ? '' : 's'}`,
      async run() {
        // glog writes to stderr
        const { stdout, stderr } = await run(binary, args, { env, maxBuffer: 2 ** 28 }).catch(async error => {
          await remove()
          const said = String(error.stderr ?? '').trim()
          throw new Refusal(`caffe time failed: ${said.split('\n').at(-1) || error.message.trim()}`)
        })
        const { forward, backward } = withoutData(parseCaffeTime(`${stdout}\n${stderr}`), dataLayers)
        return mode === 'train' ? { train: forward + backward } : { inference: forward }
      },
      dispose: remove,
    }
  },
}

/**
 * An Input layer is all zeros in `caffe time`, which flatters pooling and ReLU: give it numbers like those of the other
 * engines.
 */
function dummyData(layer: LayerParameter): LayerParameter {
  if (layer.type !== 'Input') return layer
  const { input_param, ...rest } = layer
  const fillers = layer.top!.map(
    (top): FillerParameter => (top === 'data' ? { type: 'uniform', min: -1, max: 1 } : { type: 'constant', value: 1 }),
  )
  return { ...rest, type: 'DummyData', dummy_data_param: { shape: input_param!.shape, data_filler: fillers } }
}

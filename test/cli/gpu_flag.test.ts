/** Caffe's --gpu in old command lines, and device_query. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createGpuEngine } from '../../lib/engines/gpu.js'
import { createJsEngine } from '../../lib/engines/js.js'
import { EngineError } from '../../lib/errors.js'
import { goldenPath } from '../golden.js'
import { cli, temporaryFolder, tinyProblem } from './helpers.js'

// real, unless a test says which device this machine has
vi.mock('../../lib/engines/gpu.js', { spy: true })
const actual = await vi.importActual<typeof import('../../lib/engines/gpu.js')>('../../lib/engines/gpu.js')

const tiny = tinyProblem(temporaryFolder())
const weights = `${tiny.prefix}_iter_30.caffemodel`

/** A machine whose best device is gpu.js as plain JavaScript, which computes the same, or one that has none. */
function machine(hasGpu: boolean): void {
  vi.mocked(createGpuEngine).mockImplementation((mode, options) =>
    hasGpu
      ? actual.createGpuEngine(mode ?? 'cpu', options)
      : Promise.reject(new EngineError("engine 'gpu': no device works here")),
  )
}
afterEach(() => {
  vi.mocked(createGpuEngine).mockReset()
})

describe('--gpu of old command lines', () => {
  it.each([['-gpu', '0'], ['--gpu=all'], ['-gpu', 'all'], ['--gpu', '0', '--engine', 'gpu']])(
    'train %s %s is --engine gpu',
    async (...flags) => {
      machine(true)
      const { code, out, err } = await cli('train', '-solver', tiny.solver, ...flags)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toMatch(/Engine gpu:cpu /)
      expect(out).toContain('Optimization Done.')
    },
  )

  it('test and time have it, too, and take the first of several, as in Caffe', async () => {
    machine(true)
    const test = await cli('test', '-model', tiny.model, '-weights', weights, '-iterations', '2', '-gpu', '0')
    expect(test).toMatchObject({ code: 0, err: '', out: expect.stringContaining('accuracy = 1') })
    expect(test.out).toContain('Engine gpu:cpu ')
    const time = await cli('time', '-model', tiny.model, '-iterations', '1', '-gpu', '1,0', '--json')
    expect(JSON.parse(time.out).engine).toBe('gpu:cpu')
    expect(time.err).toBe('--gpu 1,0: one GPU is used, the one that the system prefers\n')
  })

  it('training on several is refused with what would train on the same batches', async () => {
    machine(true)
    const { code, out, err } = await cli('train', '-solver', tiny.solver, '-gpu', '0,1,2')
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^error: --gpu 0,1,2: one GPU trains here; --gpu 0 with 3 times the iter_size .*\n$/)
  })

  it('without a GPU it says so, and what to leave out', async () => {
    machine(false)
    const { code, out, err } = await cli('train', '-solver', tiny.solver, '-gpu', '0')
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toBe(
      "ristretto: --gpu 0: engine 'gpu': no device works here; leave --gpu out to run on the processor\n",
    )
  })

  it('an empty one is none, as in Caffe', async () => {
    machine(false)
    const { code, out } = await cli('time', '-model', tiny.model, '-iterations', '1', '--gpu=', '--json')
    expect({ code, engine: JSON.parse(out).engine }).toEqual({ code: 0, engine: 'wasm' })
  })

  it.each([
    [
      ['--gpu', '0', '--engine', 'wasm'],
      'error: --gpu 0 is --engine gpu, but --engine wasm is given, too: leave one of them out\n',
    ],
    [['-gpu', '-1'], "error: option '--gpu <ids>' argument '-1' is invalid. It must be the number of a GPU, or all.\n"],
    [
      ['-gpu', 'cuda'],
      "error: option '--gpu <ids>' argument 'cuda' is invalid. It must be the number of a GPU, or all.\n",
    ],
  ])('wrong use: %j', async (flags, message) => {
    expect(await cli('time', '-model', tiny.model, ...flags)).toEqual({ code: 2, out: '', err: message })
  })

  it("classify has classify.py's switch", async () => {
    machine(true)
    const deploy = 'docs/examples/mnist/lenet.prototxt'
    const lenet = goldenPath('nets/lenet/lenet.caffemodel')
    const { code } = await cli('classify', '--gpu', deploy, lenet, goldenPath('io/images/g2.png'))
    expect(code).toBe(0)
    // once to see that there is a GPU, once for the net
    expect(vi.mocked(createGpuEngine).mock.calls.map(([mode]) => mode)).toEqual([undefined, undefined])
  })
})

describe('device-query', () => {
  it("lists the engines with what they run on, under Caffe's name and flag", async () => {
    machine(false)
    const { code, out, err } = await cli('device_query', '-gpu', '0')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.split('\n').map(line => line.slice(0, 8))).toEqual([
      '✓ wasm  ',
      expect.stringMatching(/^[✓✗] native/),
      '✗ gpu   ',
      '✓ js    ',
      '',
    ])
    expect(out).toContain(`✓ js      ${createJsEngine().detail}\n`)
    expect(out).toContain("✗ gpu     engine 'gpu': no device works here\n")
  })

  it('names the device of a GPU, and prints JSON', async () => {
    machine(true)
    const answers = JSON.parse((await cli('device-query', '--json')).out)
    expect(answers.map(({ engine }: { engine: string }) => engine)).toEqual(['wasm', 'native', 'gpu', 'js'])
    expect(answers[2]).toEqual({ engine: 'gpu', runs: true, detail: 'gpu:cpu, gpu.js as plain JavaScript, no device' })
  })
})

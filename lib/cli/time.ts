import type { Command } from 'commander'
import type { Net } from '../net.js'
import { g6 } from '../system/format.js'
import { addGpuFlag } from './gpu_flag.js'
import { type Output, printJson, printLog } from './output.js'
import { addBatchOptions, type BatchOptions, openNet } from './run_net.js'

/** Untimed passes first: compilers and caches settle. Fewer where the net is slow. */
const WARM_UP = { passes: 5, milliseconds: 2000 }

export function addTime(program: Command, output: Output): void {
  const command = program
    .command('time')
    .usage('--model <file> [options]')
    .description('Time every layer, forward and backward, averaged over iterations.')
  addBatchOptions(command, {
    phase: 'TRAIN',
    needsWeights: false,
    iterations: 'how many passes',
    json: 'print the times as one JSON object',
  })
  addGpuFlag(command, output).action(options => time(options, output))
  command.addHelpText(
    'after',
    `
Up to ${WARM_UP.passes} passes before the first timed one are not counted. Times are in milliseconds.

Example:
  ristretto time --model lenet_train_test.prototxt --iterations 100`,
  )
}

async function time(options: BatchOptions, output: Output): Promise<void> {
  const log = options.json ? () => {} : (line: string, tag = 'caffe.cpp:400') => printLog(output, line, tag)
  const { model, weights = [], phase, iterations } = options
  const net = await openNet(model, weights, options, output, line => log(line))
  try {
    // timing needs no values of anyone's: zeros do
    for (const name of net.inputs) net.blobs[name].dataArray.fill(0)
    log(`Engine ${net.engine.name} (${net.engine.detail})`, 'caffe.cpp:343')
    const forwardPass = () => net.exclusive(() => net.runner.forward())
    const backwardPass = () => net.exclusive(() => net.runner.backward())
    log('Performing Forward', 'caffe.cpp:351')
    await forwardPass()
    log(`Initial loss: ${g6(await net.loss())}`, 'caffe.cpp:356')
    log('Performing Backward', 'caffe.cpp:357')
    await backwardPass()
    const warm = performance.now() + WARM_UP.milliseconds
    for (let i = 1; i < WARM_UP.passes && performance.now() < warm; i++) {
      await forwardPass()
      await backwardPass()
    }

    const clock = new LayerClock(net)
    let forward = 0
    let backward = 0
    log('*** Benchmark begins ***', 'caffe.cpp:365')
    log(`Testing for ${iterations} iterations.`, 'caffe.cpp:366')
    const begun = performance.now()
    for (let i = 0; i < iterations; i++) {
      const start = performance.now()
      await forwardPass()
      const middle = performance.now()
      await backwardPass()
      const end = performance.now()
      forward += middle - start
      backward += end - middle
      log(`Iteration: ${i + 1} forward-backward time: ${g6(ms(end - start))} ms.`, 'caffe.cpp:394')
    }
    const total = performance.now() - begun

    const layers = net.layerNames.map(name => ({
      name,
      forward: (clock.forward.get(name) ?? 0) / iterations,
      backward: (clock.backward.get(name) ?? 0) / iterations,
    }))
    if (options.json) {
      const means = {
        forward: forward / iterations,
        backward: backward / iterations,
        forwardBackward: total / iterations,
      }
      printJson(output, {
        engine: net.engine.name,
        detail: net.engine.detail,
        phase,
        iterations,
        layers,
        ...means,
        total,
      })
      return
    }
    log('Average time per layer: ', 'caffe.cpp:397')
    for (const layer of layers) {
      log(`${layer.name.padStart(10)}\tforward: ${g6(ms(layer.forward))} ms.`, 'caffe.cpp:400')
      log(`${layer.name.padStart(10)}\tbackward: ${g6(ms(layer.backward))} ms.`, 'caffe.cpp:403')
    }
    log(`Average Forward pass: ${g6(ms(forward / iterations))} ms.`, 'caffe.cpp:408')
    log(`Average Backward pass: ${g6(ms(backward / iterations))} ms.`, 'caffe.cpp:410')
    log(`Average Forward-Backward: ${g6(ms(total / iterations))} ms.`, 'caffe.cpp:412')
    log(`Total Time: ${g6(ms(total))} ms.`, 'caffe.cpp:414')
    log('*** Benchmark ends ***', 'caffe.cpp:415')
  } finally {
    net.dispose()
  }
}

/** Milliseconds to the nanosecond: the clock knows no more. */
const ms = (milliseconds: number): number => Math.round(milliseconds * 1e6) / 1e6

/**
 * Adds up how long each layer takes, from the net's hooks. A device is waited for after each layer, or the last one
 * would pay for all.
 */
class LayerClock {
  readonly forward = new Map<string, number>()
  readonly backward = new Map<string, number>()
  private begun = 0

  constructor(net: Net) {
    const begin = () => {
      this.begun = performance.now()
    }
    const { engine } = net
    const end = (times: Map<string, number>) => async (name: string) => {
      if (engine.finish) await engine.finish()
      times.set(name, (times.get(name) ?? 0) + performance.now() - this.begun)
    }
    net.beforeForward(begin)
    net.afterForward(end(this.forward))
    net.beforeBackward(begin)
    net.afterBackward(end(this.backward))
  }
}

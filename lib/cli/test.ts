import type { Command } from 'commander'
import type { Net } from '../net.js'
import { g6 } from '../system/format.js'
import { addGpuFlag } from './gpu_flag.js'
import { type Output, print, printJson, printLog } from './output.js'
import { ProgressBar } from './progress.js'
import { addBatchOptions, type BatchOptions, openNet } from './run_net.js'

export function addTest(program: Command, output: Output): void {
  const command = program
    .command('test')
    .usage('--model <file> --weights <files> [options]')
    .description("Score a trained net: the mean of every output over the batches of the net's own data layer.")
  addBatchOptions(command, {
    phase: 'TEST',
    needsWeights: true,
    iterations: 'how many batches',
    json: 'print the scores as one JSON object',
  })
  addGpuFlag(command, output).action(options => test(options, output))
  command.addHelpText(
    'after',
    `
Example:
  ristretto test --model lenet_train_test.prototxt --weights lenet_iter_10000.caffemodel --iterations 100`,
  )
}

/** One value of one output of the net. */
interface Score {
  name: string
  value: number
  lossWeight: number
}

async function test(options: BatchOptions, output: Output): Promise<void> {
  // on a terminal plain words, as train has them
  const isTerminal = output.out.isTTY ?? false
  const log = options.json
    ? () => {}
    : (line: string, tag?: string) => (isTerminal ? print(output, line) : printLog(output, line, tag))
  const { model, weights = [], iterations } = options
  const net = await openNet(model, weights, options, output, log)
  log(`Engine ${net.engine.name} (${net.engine.detail})`)
  const bar = isTerminal && !options.json ? new ProgressBar(output, 'Testing', iterations, []) : undefined
  const say = (line: string) => (bar ? bar.log(line) : log(line))
  try {
    if (!net.outputs.length)
      throw net.layers[net.layers.length - 1].error('the net has no output in this phase: nothing to average')
    say(`Running for ${iterations} iterations.`)
    const sums: Score[] = []
    let loss = 0
    for (let i = 0; i < iterations; i++) {
      await net.exclusive(() => net.runner.forward())
      loss += await net.loss()
      const scores = await outputScores(net)
      scores.forEach((score, k) => {
        if (!bar) log(`Batch ${i}, ${score.name} = ${g6(score.value)}`)
        if (i) sums[k].value += score.value
        else sums[k] = { ...score }
      })
      bar?.update(i + 1)
    }
    bar?.stop()
    const means = sums.map(sum => ({ ...sum, value: sum.value / iterations }))
    loss /= iterations
    if (options.json) printJson(output, { iterations, loss, outputs: means })
    else {
      log(`Loss: ${g6(loss)}`)
      for (const { name, value, lossWeight } of means)
        log(`${name} = ${g6(value)}${lossWeight ? ` (* ${g6(lossWeight)} = ${g6(lossWeight * value)} loss)` : ''}`)
    }
  } finally {
    bar?.stop()
    net.dispose()
  }
}

async function outputScores(net: Net): Promise<Score[]> {
  const weights = new Map(
    net.built.nodes.flatMap(node => node.top.map((blob, i) => [blob.name, node.lossWeights[i]] as const)),
  )
  const scores: Score[] = []
  for (const name of net.outputs) {
    const blob = net.blobs[name]
    await blob.memory.data.pull()
    for (const value of blob.dataArray) scores.push({ name, value, lossWeight: weights.get(name) ?? 0 })
  }
  return scores
}

import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseNet } from '../proto/text.js'
import type { Rankdir } from '../pycaffe/draw/drawing.js'
import { drawNetToFile } from '../pycaffe/draw.js'
import { readText } from './input_file.js'
import { addStateOptions, type StateOptions } from './options.js'
import { type Output, print, resultFile } from './output.js'

interface DrawCommandOptions extends StateOptions {
  rankdir: Rankdir
  phase: 'TRAIN' | 'TEST' | 'ALL'
  displayLrm?: boolean
}

export function addDraw(program: Command, output: Output): void {
  const command = program
    .command('draw')
    .alias('draw-net')
    .description('Draw a net as a graph of its layers and blobs.')
    .argument('<model>', 'net prototxt')
    .argument('<file>', '.svg for a picture, .dot or .gv for Graphviz, .mmd for Mermaid')
    .addOption(
      choice('--rankdir <direction>', 'where the data flows: left to right, top to bottom …', 'LR', [
        'LR',
        'RL',
        'TB',
        'BT',
      ]),
    )
    .addOption(choice('--phase <phase>', 'layers of one phase, or all', 'ALL', ['TRAIN', 'TEST', 'ALL']))
    .option('--display-lrm', 'show the learning rate multipliers')
  addStateOptions(command).action((model, file, options: DrawCommandOptions) => draw(model, file, options, output))
  command.addHelpText(
    'after',
    `
Examples:
  ristretto draw lenet_train_test.prototxt lenet.svg --phase TRAIN --rankdir TB
  ristretto draw deploy.prototxt deploy.mmd`,
  )
}

/** An option with a few possible words, in capitals or not. */
const choice = (flags: string, description: string, otherwise: string, words: readonly string[]): Option =>
  new Option(flags, description)
    .choices(words)
    .default(otherwise)
    .argParser(text => {
      if (!words.includes(text.toUpperCase()))
        throw new InvalidArgumentError(`Allowed choices are ${words.join(', ')}.`)
      return text.toUpperCase()
    })

async function draw(model: string, file: string, options: DrawCommandOptions, output: Output): Promise<void> {
  const { rankdir, phase, level, stage: stages, displayLrm } = options
  await resultFile(output, file)
  const net = parseNet(await readText(model), { file: model })
  await drawNetToFile(net, file, { rankdir, phase: phase === 'ALL' ? undefined : phase, level, stages, displayLrm })
  print(output, `Drawing net to ${file}`)
}

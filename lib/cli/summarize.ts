import type { Command } from 'commander'
import { shapeText } from '../blob.js'
import { joinErrors, NetError, RistrettoError } from '../errors.js'
import type { NetParameter } from '../generated/caffe.js'
import { Net } from '../net.js'
import { keepPlace } from '../proto/places.js'
import { parseNet } from '../proto/text.js'
import { upgradeNet } from '../proto/upgrade.js'
import { createFiles } from '../system/files.js'
import { withoutFillers } from '../tools/stand_in.js'
import { type NetSummary, summarize } from '../tools/summarize.js'
import { readText } from './input_file.js'
import { addStateOptions, layersOption, phaseOption, registerLayers, type StateOptions } from './options.js'
import { type Output, print, printJson } from './output.js'
import { bytes, type Shapes, shapeOption, tableLines } from './table.js'

interface SummarizeOptions extends StateOptions {
  phase: 'TRAIN' | 'TEST'
  shape?: Shapes
  layers?: string[]
  json?: boolean
}

export function addSummarize(program: Command, output: Output): void {
  const command = program
    .command('summarize')
    .description('List the layers of a net with their shapes, params, memory and multiply-adds.')
    .argument('<model>', 'net prototxt')
    .addOption(phaseOption('TEST'))
    .option(
      '--shape <blob=sizes>',
      'give an input this shape, or put one of this shape in place of a data layer; may be repeated',
      shapeOption,
    )
    .addOption(layersOption())
    .option('--json', 'print the list as one JSON object')
  addStateOptions(command).action((model, options: SummarizeOptions) => summarizeFile(model, options, output))
  command.addHelpText(
    'after',
    `
Memory is that of a layer's outputs; what works in place or shares its input takes none. Multiply-adds are those of convolutions,
inner products and recurrent layers in a forward pass over the whole batch; what other layers do, such as comparing boxes
with each other (DetectionOutput, Proposal, MultiBoxLoss, YOLO's), is not in them. The option maxWork counts that, too.

Examples:
  ristretto summarize deploy.prototxt
  ristretto summarize train_val.prototxt --phase TRAIN --shape data=256,3,227,227 --shape label=256`,
  )
}

async function summarizeFile(model: string, options: SummarizeOptions, output: Output): Promise<void> {
  await registerLayers(options, output)
  const { phase, level, stage: stages, shape = {} } = options
  const param = withShapes(withoutFillers(upgradeNet(parseNet(await readText(model), { file: model }))), shape)
  const net = await Net.create(param, {
    ...{ phase, level, stages, engine: 'js', seed: 0, near: createFiles().near(model) },
    // nothing is computed, so that nothing but the params is ever taken
    maxMemory: Number.MAX_SAFE_INTEGER,
  }).catch(error => {
    throw hinted(error, param)
  })
  try {
    const summary = summarize(net)
    if (options.json) printJson(output, summary)
    else for (const line of summaryText(summary)) print(output, line)
  } finally {
    net.dispose()
  }
}

/** Data that is somewhere else is not needed to count. */
function hinted(error: unknown, net: NetParameter): unknown {
  if (error instanceof RistrettoError && error.causes.length)
    return joinErrors(error.causes.map(cause => hinted(cause, net) as RistrettoError))
  const source = net.layer?.find(
    layer => !layer.bottom?.length && error instanceof Error && error.message.startsWith(`layer '${layer.name}' `),
  )
  if (!source || !(error instanceof Error)) return error
  if (!source.top?.length) return error
  const shapes = source.top.map(top => `--shape ${top}=…`).join(' ')
  error.message += `; ${shapes} puts inputs in its place`
  return error
}

/** The net with Input layers of the given shapes in place of what made these blobs. */
function withShapes(net: NetParameter, shapes: Shapes): NetParameter {
  const unused = new Set(Object.keys(shapes))
  const layer = net.layer?.map(layer => {
    const tops = layer.top ?? []
    if (layer.bottom?.length || !tops.some(top => shapes[top])) return layer
    const own = layer.input_param?.shape ?? []
    const shape = tops.map((top, i) => {
      unused.delete(top)
      const dim = shapes[top] ?? own[own.length === 1 ? 0 : i]?.dim
      if (!dim)
        throw new NetError(`layer '${layer.name ?? ''}' also makes '${top}': give its shape, too, as --shape ${top}=…`)
      return { dim }
    })
    const { name, top, include, exclude } = layer
    return keepPlace(layer, { name, top, include, exclude, type: 'Input', input_param: { shape } })
  })
  if (unused.size)
    throw new NetError(`no layer without inputs makes ${[...unused].map(name => `'${name}'`).join(', ')}`)
  return { ...net, layer }
}

function summaryText({ name, phase, layers, params, multiplyAdds, memory }: NetSummary): string[] {
  const rows = [
    ['layer', 'type', 'bottoms → tops', 'output', 'params', 'memory', 'multiply-adds'],
    ...layers.map(layer => [
      layer.name,
      layer.type,
      `${layer.bottoms.join(', ')} → ${layer.tops.join(', ')}`.trim(),
      layer.shapes.map(shapeText).join(', '),
      layer.params ? grouped(layer.params) : layer.sharedParams ? 'shared' : '',
      layer.memory ? bytes(layer.memory) : '',
      layer.multiplyAdds ? grouped(layer.multiplyAdds) : '',
    ]),
    ['total', '', '', '', grouped(params), bytes(memory.activations), grouped(multiplyAdds)],
  ]
  const lines = tableLines(rows, 4)
  const { activations, diffs, scratch } = memory
  const training = diffs ? `; ${bytes(diffs)} gradients if it trains` : ''
  return [
    `${name || 'Net'}, phase ${phase}: ${layers.length} layers`,
    '',
    ...[...lines.slice(0, -1), lines[1], lines[lines.length - 1]],
    '',
    `Memory: ${bytes(memory.params)} params, ${bytes(activations)} activations, ${bytes(scratch)} of layers' own${training}`,
  ]
}

const grouped = (value: number): string => value.toLocaleString('en-US')

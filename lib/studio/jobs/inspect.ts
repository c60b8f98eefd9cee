import type { FormatError } from '../../errors.js'
import type { LayerParameter, NetParameter } from '../../generated/caffe.js'
import { faultsOf } from '../../net/faults.js'
import { unknownBottoms } from '../../net/graph.js'
import { Net } from '../../net.js'
import { adoptDeclared } from '../../proto/adopt.js'
import { parseNet } from '../../proto/text.js'
import { upgradeNet } from '../../proto/upgrade.js'
import { fetchClasses } from '../../registry.js'
import { lintDescription } from '../../solver/lint.js'
import { withoutFillers } from '../../tools/stand_in.js'
import type { Inspection, InspectRequest, Mark } from '../api/index.js'
import type { DatasetFacts } from '../core/facts.js'
import { layersOf } from '../core/stages.js'
import { graphOf } from './graph.js'
import { hintMark, inOrder, marksOf, TEXT } from './marks.js'
import { stageNet } from './staged.js'

/** What is looked at; the dataset by what its summary says. Classes of custom layers are registered already. */
export interface InspectOptions extends Pick<InspectRequest, 'net' | 'stage' | 'crop' | 'batch'> {
  readonly dataset?: Pick<DatasetFacts, 'channels' | 'height' | 'width'>
}

/**
 * What is wrong with the text of a net, at its places, all of it at once; and the net of one stage as a graph, if it can
 * be made. Nothing is computed, and no data is read. Never rejects for what is wrong with the text or the net.
 */
export async function inspectNet(options: InspectOptions): Promise<Inspection> {
  const errors: FormatError[] = []
  let net: NetParameter
  try {
    net = adoptDeclared(upgradeNet(parseNet(options.net, { file: TEXT, errors })))
  } catch (error) {
    // half a net may be in no form that can be upgraded
    return { marks: inOrder([...errors.flatMap(error => marksOf(error)), ...marksOf(error)]) }
  }
  const layers = net.layer ?? []
  const marks: Mark[] = errors.flatMap(error => marksOf(error, layers))
  try {
    await fetchClasses(layers)
    marks.push(...faultsOf(net, errors.length > 0).flatMap(error => marksOf(error, layers)))
    if (marks.length) return { marks: inOrder(marks) }
    const { marks: found, ...graph } = await lookAt(net, options)
    return { marks: inOrder(found), ...graph }
  } catch (error) {
    return { marks: inOrder([...marks, ...marksOf(error, layers)]) }
  }
}

async function lookAt(net: NetParameter, options: InspectOptions): Promise<Inspection> {
  const layers = net.layer ?? []
  const { stage } = options
  if (stage !== 'deploy') {
    const own = layersOf(net, stage)
    const marks = unknownBottoms({ layer: own }).flatMap(error => marksOf(error, layers))
    if (marks.length) return { marks }
  }
  const { net: bare, written } = await stageNet(net, stage, options)
  const made = await Net.create(withoutFillers(bare), {
    phase: stage === 'train' ? 'TRAIN' : 'TEST',
    seed: 1,
    // nothing is computed, so that hardly anything is ever taken
    ...{ engine: 'js', maxMemory: Number.MAX_SAFE_INTEGER, files: false },
  })
  try {
    return { marks: hintsOf(layers, layersOf(net, 'train')), ...graphOf(made, written) }
  } finally {
    made.dispose()
  }
}

const hintsOf = (layers: readonly LayerParameter[], training: readonly LayerParameter[]): Mark[] =>
  lintDescription(training).map(text => hintMark(text, layers))

/** How many texts are remembered: one in each stage, and what a person goes back and forth between. */
const REMEMBERED = 12

/** The same, remembered: a text that was looked at before is answered at once. `code` tells layers of other texts apart. */
export function rememberingInspector(
  most = REMEMBERED,
): (options: InspectOptions, code?: string) => Promise<Inspection> {
  const known = new Map<string, Promise<Inspection>>()
  return (options, code = '') => {
    const { net, stage, crop, batch, dataset } = options
    const sizes = dataset && [dataset.channels, dataset.height, dataset.width]
    const key = JSON.stringify([stage, crop, batch, sizes, code, net])
    const found = known.get(key) ?? inspectNet(options)
    known.delete(key)
    known.set(key, found)
    for (const oldest of known.keys()) if (known.size > most) known.delete(oldest)
    return found
  }
}

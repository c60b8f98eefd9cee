import { type FormatError, RistrettoError } from '../../errors.js'
import type { LayerParameter, NetParameter } from '../../generated/caffe.js'
import { faultsOf } from '../../net/faults.js'
import { unknownBottoms } from '../../net/graph.js'
import { Net } from '../../net.js'
import { adoptDeclared } from '../../proto/adopt.js'
import { parseNet } from '../../proto/text.js'
import { upgradeNet } from '../../proto/upgrade.js'
import { classOf, fetchClasses } from '../../registry.js'
import { lintDescription } from '../../solver/lint.js'
import { withoutFillers } from '../../tools/stand_in.js'
import type { Inspection, InspectRequest, Mark } from '../api/index.js'
import { cropOf } from '../core/data_layers.js'
import type { DatasetFacts } from '../core/facts.js'
import { layersOf } from '../core/stages.js'
import { graphOf } from './graph.js'
import { hintMark, inOrder, marksOf, TEXT } from './marks.js'
import { stageNet } from './staged.js'

/** What is looked at; the dataset by what its summary says. Classes of custom layers are registered already. */
export interface InspectOptions extends Pick<InspectRequest, 'net' | 'stage' | 'crop' | 'batch'> {
  readonly dataset?: Pick<DatasetFacts, 'channels' | 'height' | 'width'> & Partial<Pick<DatasetFacts, 'classes'>>
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
  const crop = cropOf(net, options.crop)
  const { dataset } = options
  if (dataset && crop !== undefined && crop > Math.min(dataset.height, dataset.width)) {
    const message = `a crop of ${crop} does not fit into pictures of ${dataset.height}×${dataset.width}`
    return { marks: [{ severity: 'error', message }] }
  }
  const { net: bare, written } = await stageNet(net, stage, options)
  const made = await Net.create(withoutFillers(bare), {
    phase: stage === 'train' ? 'TRAIN' : 'TEST',
    seed: 1,
    // nothing is computed, so that hardly anything is ever taken
    ...{ engine: 'js', maxMemory: Number.MAX_SAFE_INTEGER, files: false },
  })
  try {
    const marks = [...tooFewScores(made, options), ...hintsOf(layersOf(net, 'train'))]
    return { marks, ...graphOf(made, written) }
  } finally {
    made.dispose()
  }
}

/** Losses and accuracies that compare fewer scores than the dataset has classes: its labels would be none of theirs. */
function tooFewScores(net: Net, { dataset, net: text }: InspectOptions): Mark[] {
  const classes = dataset?.classes?.length ?? 0
  const written = parseNet(text, { file: TEXT, errors: [] }).layer ?? []
  return net.built.nodes.flatMap(({ param, bottom }) => {
    const scores = bottom[0]?.shape[1] ?? 0
    if (!classOf(param)?.compares || scores >= classes) return []
    const message = `layer '${param.name}' (${param.type}): it compares ${scores} scores with labels of ${classes} classes: the layer that makes '${bottom[0].name.replace(/_[^_]+_\d+_split_\d+$/, '')}' needs num_output: ${classes}`
    return marksOf(new RistrettoError(message), written)
  })
}

const hintsOf = (training: readonly LayerParameter[]): Mark[] =>
  lintDescription(training).map(text => hintMark(text, training))

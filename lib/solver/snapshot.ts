import { fileKind, isModelName } from '../data/file_kind.js'
import { isHdf5 } from '../data/is_hdf5.js'
import { withoutPath, withPrefix } from '../data/source.js'
import { FormatError, NetError } from '../errors.js'
import type { SolverState } from '../generated/caffe.js'
import { netToBytes } from '../net/files.js'
import { refuseOthers } from '../net/wanted.js'
import { blobData, sameShape, toBlobProto } from '../proto/blob_proto.js'
import { readMessage, writeMessage } from '../proto/wire.js'
import type { FileSource } from '../system/files.js'
import { applyPositions, type Positions, positionsOf, stateName, type TrainingRun } from './positions.js'

/** Model and solver state: the paths they were written to, or their bytes where the solver has no snapshot_prefix. */
export type Snapshot = { model: string; state: string } | { model: Uint8Array; state: Uint8Array }

/**
 * Save to `<prefix>_iter_<n>` (or `<prefix>_<name>`), or to bytes where the solver has no prefix. `writes: false` only says
 * where: another member of the group saves.
 */
export async function snapshotSolver(
  solver: TrainingRun,
  name = `iter_${solver.iter}`,
  writes = true,
): Promise<Snapshot> {
  const { param, net, iter } = solver
  const hdf5 = param.snapshot_format === 'HDF5'
  const base = `${param.snapshot_prefix}_${name}`
  const ending = hdf5 ? '.h5' : ''
  const paths = { model: `${base}.caffemodel${ending}`, state: `${base}.solverstate${ending}` }
  if (!writes && param.snapshot_prefix !== undefined) return paths
  await net.pull()
  const model = await netToBytes(net.built, { format: hdf5 ? 'hdf5' : 'caffemodel', diffs: param.snapshot_diff })
  for (const blob of solver.history) await blob.pull()
  const state: SolverState = {
    iter,
    current_step: solver.rate.stage,
    ...(solver.rate.lowest < Number.POSITIVE_INFINITY && {
      minimum_loss: solver.rate.lowest,
      iter_last_event: solver.rate.lastEvent,
    }),
    history: solver.history.map(blob => toBlobProto(blob.shape, blob.memory.data.values)),
    ristretto_positions: JSON.stringify({
      ...(await positionsOf(solver)),
      model: fingerprint(model),
      ...(solver.options.freeze?.length && { freeze: solver.options.freeze }),
    }),
  }
  const write = async (state: SolverState) =>
    hdf5 ? (await import('../net/hdf5.js')).stateToHdf5(state) : writeMessage('SolverState', state)
  if (param.snapshot_prefix === undefined) return { model, state: await write(state) }
  const written = await write({ ...state, learned_net: paths.model })
  await solver.files.writeAll(
    [
      [paths.model, model],
      [paths.state, written],
    ],
    true,
  )
  return paths
}

/**
 * Everything is read and checked before anything is changed. Resolves to a line for people where other layers keep their
 * weights than before: a frozen layer is none in the solver's file.
 */
export async function restoreSolver(
  solver: TrainingRun,
  source: FileSource,
  model?: FileSource,
): Promise<string | undefined> {
  const file = stateName(source)
  const bytes = await solver.files.read(source)
  if (bytes.length === 0) throw new FormatError(`${file}: it is empty, so it is no solver state`)
  if (!isHdf5(bytes)) refuseOthers(fileKind(bytes), 'state', file)
  const state = isHdf5(bytes)
    ? await (await import('../net/hdf5.js')).readHdf5State(bytes, file, solver.files.maxFile)
    : readMessage('SolverState', bytes, { file })
  const history = state.history ?? []
  if (history.length !== solver.history.length)
    throw new NetError(
      `${file} holds ${history.length} history blobs, this ${solver.param.type ?? 'SGD'} solver has ${solver.history.length}: was it saved by another solver or net?`,
    )
  history.forEach((proto, i) => {
    if (!sameShape(proto, solver.history[i].shape))
      throw new NetError(
        `${file}: history blob ${i} does not have the shape ${solver.history[i].shape.join('×')} of its param`,
      )
  })
  const moments = history.map(proto => blobData(proto))
  const positions = state.ristretto_positions ? readPositions(state.ristretto_positions, file) : undefined
  const weights = model ?? (await findModel(solver, source, state.learned_net))
  if (model === undefined && weights !== undefined && positions?.model !== undefined)
    await mustBelong(solver, weights, positions.model, file)
  if (weights !== undefined)
    await solver.net.copyFrom(weights).catch(error => {
      const told = model !== undefined || isModelName(state.learned_net ?? '')
      throw told ? error : withPrefix(file, withoutPath(error, 'the model that it names'))
    })
  moments.forEach((values, i) => {
    const { data } = solver.history[i].memory
    data.claim()
    data.write(history => history.set(values))
  })
  solver.iter = state.iter ?? 0
  solver.rate.stage = state.current_step ?? 0
  solver.rate.lowest = state.minimum_loss ?? Number.POSITIVE_INFINITY
  solver.rate.lastEvent = state.iter_last_event ?? solver.iter
  if (!positions) return undefined
  applyPositions(solver, positions)
  const [before, now] = [positions.freeze ?? [], solver.options.freeze ?? []]
  if (before.join('\0') === now.join('\0')) return undefined
  const list = (patterns: readonly string[]) => (patterns.length ? `freeze '${patterns.join(',')}'` : 'no freeze')
  return `${file} was saved by a training with ${list(before)}, this one has ${list(now)}: other layers learn from here on`
}

/** So many words of a model tell it from that of another iteration: an update changes nearly all of its weights. */
const WORDS = 1 << 18

/** Length and a hash of words from everywhere in a file; no proof against whoever means harm. */
function fingerprint(bytes: Uint8Array): string {
  const step = Math.max(1, Math.floor(bytes.length / 4 / WORDS)) * 4
  let hash = 0x811c9dc5
  for (let at = 0; at < bytes.length; at += step)
    hash = Math.imul(
      hash ^ (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)),
      0x01000193,
    )
  return `${bytes.length}-${(hash >>> 0).toString(16)}`
}

/**
 * Refuse a model that is not the one saved with the state: a reader who comes between the two renames of a snapshot, or
 * copies one of two files, sees a mix. Where the model is not found, copyFrom says so.
 */
async function mustBelong(solver: TrainingRun, model: FileSource, wanted: string, file: string): Promise<void> {
  const bytes = await solver.files.read(model).catch(() => undefined)
  if (bytes && fingerprint(bytes) !== wanted)
    throw new FormatError(
      `${file}: the model that lies there is not the one that was saved with this state: the two files are of different snapshots, or one was changed or was being written; take both of one snapshot, or say which model you mean: restore(state, model)`,
    )
}

/** The model that a state names: as written, else beside the state file. */
async function findModel(
  solver: TrainingRun,
  source: FileSource,
  learnedNet: string | undefined,
): Promise<FileSource | undefined> {
  if (!learnedNet) return undefined
  if (source instanceof Uint8Array) return learnedNet
  const near = solver.files.near(source)
  const name = learnedNet.split(/[\\/]/).pop()!
  return (await near.locate(learnedNet)) ?? (await near.locate(name)) ?? learnedNet
}

function readPositions(text: string, file: string): Positions {
  try {
    const positions = JSON.parse(text)
    const { seed, train, test, model, freeze } = positions
    if (model !== undefined && typeof model !== 'string') throw new TypeError()
    if (freeze !== undefined && !(Array.isArray(freeze) && freeze.every(pattern => typeof pattern === 'string')))
      throw new TypeError()
    if (isCount(seed) && isPosition(train) && Array.isArray(test) && test.every(isPosition)) return positions
  } catch {}
  throw new FormatError(`${file}: the stored positions of the random streams cannot be read`)
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isPosition = (value: unknown): boolean =>
  isRecord(value) &&
  isCount(value.passes) &&
  isRecord(value.layers) &&
  Object.values(value.layers).every(state => isRecord(state) && Object.values(state).every(Number.isFinite))

import { withPrefix } from '../data/source.js'
import { RistrettoError } from '../errors.js'
import { isMember, joinGroup, memberPort, supervisorWishes } from '../group/join.js'
import { launcherOf } from '../group/launcher.js'
import type { Note } from '../group/notes.js'
import { startWorkers } from '../group/supervisor.js'
import type { Communicator } from '../group.js'
import type { SolverEvent } from '../solver/events.js'
import { type Output, warn } from './output.js'
import { handleSignals, type SignalActions, type SignalEffect } from './signals.js'
import type { View } from './training_log.js'
import type { Progress, RunFacts } from './training_meter.js'

/** Options of a training by several workers. */
export interface WorkersOptions {
  workers?: number
  groupTimeout?: number
  sigintEffect: SignalEffect
  sighupEffect: SignalEffect
}

/** What member 0 says to its supervisor: what it would show. */
type Word =
  | { readonly event: SolverEvent }
  | { readonly log: string }
  | { readonly begin: RunFacts }
  | { readonly progress: Progress }
  | { readonly end: true }

/** Whether this process is to start the workers itself: --workers says so, and nobody has started it as one of them. */
export async function isSupervisor({ workers = 1 }: WorkersOptions): Promise<boolean> {
  const launcher = launcherOf(process.env)
  if (launcher && workers > 1)
    throw new RistrettoError(
      `--workers ${workers}: ${launcher.name} has started ${launcher.size || 'several'} members already; leave --workers out, or start without ${launcher.name}`,
    )
  return workers > 1 && !(await isMember())
}

/** Start the workers, hand signals on to them, show what member 0 says. Resolves when all have ended well. */
export async function supervise(options: WorkersOptions, output: Output, view: View): Promise<void> {
  const { program } = output
  if (!program) throw new RistrettoError('--workers starts this program again, in threads, which only the command can')
  const workers = await startWorkers(program.url, options.workers!, {
    argv: program.argv,
    onMessage(message) {
      const word = message as Word
      if ('event' in word) view.event(word.event)
      else if ('log' in word) view.log(word.log)
      else if ('begin' in word) view.begin(word.begin)
      else if ('progress' in word) view.progress?.(word.progress)
      else view.end()
    },
  })
  const post = (ristrettoNote: 'stop' | 'snapshot') => workers.post({ ristrettoNote } satisfies Note)
  const release = handleSignals(
    { sigint: options.sigintEffect, sighup: options.sighupEffect },
    {
      stop() {
        view.log('Stopping after this iteration; interrupt again to quit at once.')
        post('stop')
      },
      snapshot: () => post('snapshot'),
    },
  )
  try {
    await workers.finished
  } finally {
    release()
    view.end()
  }
}

/** The group that this process is a member of, or is alone in. */
export const groupOf = ({ groupTimeout }: WorkersOptions, output: Output): Promise<Communicator> =>
  joinGroup({ timeout: groupTimeout, log: line => warn(output, `ristretto: ${line}`) })

/** How a member shows its run: member 0 for all, the others only by their errors. */
export async function memberView(group: Communicator, own: () => View): Promise<View> {
  const silent: View = { event() {}, log() {}, begin() {}, end() {} }
  if (group.rank > 0) return silent
  const port = (await isMember()) ? await memberPort() : undefined
  if (!port) return own()
  const say = (word: Word) => port.post(word)
  return {
    event: event => say({ event }),
    log: log => say({ log }),
    begin: begin => say({ begin }),
    progress: progress => say({ progress }),
    end: () => say({ end: true }),
  }
}

/** An error of a member, which says whose it is where no supervisor does. */
export function memberError({ rank, size, name }: Communicator, error: unknown): unknown {
  if (size === 1 || name === 'threads' || !(error instanceof Error)) return error
  const who = `worker ${rank} of ${size}`
  return error instanceof RistrettoError
    ? withPrefix(who, error)
    : new RistrettoError(`${who}: ${error.message}`, { cause: error })
}

/** Let signals act on a member's training: its own, or those that its supervisor hands on. Returns a function that undoes it. */
export async function memberSignals(options: WorkersOptions, actions: SignalActions): Promise<() => void> {
  if (await isMember()) return supervisorWishes(actions)
  return handleSignals({ sigint: options.sigintEffect, sighup: options.sighupEffect }, actions)
}

/** What a signal does to training, as in Caffe. */
export type SignalEffect = 'stop' | 'snapshot' | 'none'

export interface SignalActions {
  /** Finish the iteration under way, save a snapshot and end. */
  stop(): void
  /** Finish the iteration under way, save a snapshot and go on. */
  snapshot(): void
}

/**
 * Let SIGINT and SIGHUP act on training; returns a function that undoes it. A second SIGINT after a stop quits at once.
 */
export function handleSignals(
  effects: { sigint: SignalEffect; sighup: SignalEffect },
  actions: SignalActions,
): () => void {
  let stopping = false
  const handler = (effect: SignalEffect) => () => {
    if (effect === 'none') return
    if (effect === 'snapshot') {
      actions.snapshot()
      return
    }
    if (stopping) process.exit(130)
    stopping = true
    actions.stop()
  }
  const sigint = handler(effects.sigint)
  const sighup = handler(effects.sighup)
  process.on('SIGINT', sigint)
  process.on('SIGHUP', sighup)
  return () => {
    process.off('SIGINT', sigint)
    process.off('SIGHUP', sighup)
  }
}

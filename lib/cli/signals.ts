/** What a signal does to training, as in Caffe. */
export type SignalEffect = 'stop' | 'snapshot' | 'none'

export interface SignalActions {
  /** Finish the iteration under way, save a snapshot and end. */
  stop(): void
  /** Finish the iteration under way, save a snapshot and go on. */
  snapshot(): void
}

/**
 * Let signals act on training; returns a function that undoes it. SIGTERM, with which Docker, systemd and mpirun end a
 * program, always stops it. A second signal after a stop quits at once.
 */
export function handleSignals(
  effects: { sigint: SignalEffect; sighup: SignalEffect },
  actions: SignalActions,
): () => void {
  let stopping = false
  const handler = (effect: SignalEffect, code: number) => () => {
    if (effect === 'none') return
    if (effect === 'snapshot') {
      actions.snapshot()
      return
    }
    if (stopping) process.exit(code)
    stopping = true
    actions.stop()
  }
  const sigint = handler(effects.sigint, 130)
  const sighup = handler(effects.sighup, 129)
  const sigterm = handler('stop', 143)
  process.on('SIGTERM', sigterm)
  process.on('SIGINT', sigint)
  process.on('SIGHUP', sighup)
  return () => {
    process.off('SIGTERM', sigterm)
    process.off('SIGINT', sigint)
    process.off('SIGHUP', sighup)
  }
}

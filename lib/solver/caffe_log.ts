/**
 * A run in Caffe's words, each line with the place in Caffe's source that prints it: people's scripts select by it
 * (`grep solver.cpp:239`) or count words (`awk '{print $11}'`).
 */
import type { TaggedLog } from '../net/options.js'
import { g6 } from '../system/format.js'
import type { OutputValue, SolverEvent } from './events.js'

/** Turns events into Caffe's lines. */
export function caffeLog(event: SolverEvent, log: TaggedLog): void {
  switch (event.type) {
    case 'begin':
      log(`Solving ${event.net}`, 'solver.cpp:289')
      log(`Learning Rate Policy: ${event.policy}`, 'solver.cpp:290')
      return
    case 'notice':
      log(event.text, event.tag)
      return
    case 'restored':
      log(`Restored solver state from ${event.file}: iteration ${event.iter}`)
      return
    case 'display': {
      const { iter, loss, iterations, seconds, interval, outputs } = event
      const pace = `(${g6(iterations / (seconds || 1))} iter/s, ${g6(seconds)}s/${interval} iters)`
      log(`Iteration ${iter} ${pace}, loss = ${g6(loss)}`, 'solver.cpp:239')
      outputs.forEach((output, k) => log(`    Train net output #${k}: ${outputText(output)}`, 'solver.cpp:258'))
      return
    }
    case 'rate':
      if (event.stage !== undefined)
        log(
          `${{ plateau: 'Plateau', stepearly: 'StepEarly' }[event.policy] ?? 'MultiStep'} Status: Iteration ${event.iter}, step = ${event.stage}`,
          'sgd_solver.cpp:50',
        )
      if (event.displayed) log(`Iteration ${event.iter}, lr = ${g6(event.lr)}`, 'sgd_solver.cpp:112')
      return
    case 'clip': {
      const { norm, limit } = event
      const text = `scaling down gradients (L2 norm ${g6(norm)} > ${g6(limit)}) by scale factor ${g6(limit / norm)}`
      log(`Gradient clipping: ${text}`, 'sgd_solver.cpp:125')
      return
    }
    case 'testBegin':
      log(`Iteration ${event.iter}, Testing net (#${event.net})`, 'solver.cpp:347')
      return
    case 'test':
      if (event.loss !== undefined) log(`Test loss: ${g6(event.loss)}`, 'solver.cpp:400')
      event.outputs.forEach((output, k) => log(`    Test net output #${k}: ${outputText(output)}`, 'solver.cpp:414'))
      return
    case 'testStopped':
      log('Test interrupted.', 'solver.cpp:394')
      return
    case 'patience':
      log(`Stopping early: ${event.output} has not improved on ${event.best} for ${event.tests} tests.`)
      return
    case 'snapshot':
      if (!event.files) return
      log(`Snapshotting to ${event.format} file ${event.files.model}`, 'solver.cpp:464')
      log(`Snapshotting solver state to ${event.format} file ${event.files.state}`, 'sgd_solver.cpp:284')
      return
    case 'hint':
      log(`Hint: ${event.text}`)
      return
    case 'final':
      log(`Iteration ${event.iter}, loss = ${g6(event.loss)}`, 'solver.cpp:327')
      return
    case 'end':
      if (event.reason === 'done') log('Optimization Done.', 'solver.cpp:332')
      else if (event.reason !== 'error') log('Optimization stopped early.', 'solver.cpp:332')
      return
    // the error that follows says it
    case 'numerics':
  }
}

/** `loss = 0.25 (* 1 = 0.25 loss)`: an output and, where it has a weight, its part of the objective. */
export function outputText({ name, value, lossWeight }: OutputValue): string {
  const loss = lossWeight ? ` (* ${g6(lossWeight)} = ${g6(lossWeight * value)} loss)` : ''
  return `${name} = ${g6(value)}${loss}`
}

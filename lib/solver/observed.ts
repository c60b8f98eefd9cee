import { mustBeFunction } from '../system/arguments.js'
import type { SolverEvent, SolverListener } from './events.js'
import type { IterationEvent, SolverHook, TestEvent } from './options.js'

/** What can be watched of a training run, and where a program may step in. */
export abstract class Observed {
  /** How many times the weights have been updated. */
  abstract iter: number

  /** Functions that are waited for, in the order in which they were given. */
  protected readonly hooks = {
    start: [] as SolverHook<number>[],
    gradients: [] as SolverHook<number>[],
    iteration: [] as SolverHook<IterationEvent>[],
    test: [] as SolverHook<TestEvent>[],
  }
  private readonly listeners: SolverListener[] = []

  /**
   * Be told what happens, as data: what the log says in words. Returns a function that ends it. Listeners watch; hooks
   * may change the run.
   */
  on(listener: SolverListener): () => void {
    this.listeners.push(mustBeFunction(listener, 'on'))
    return () => {
      const i = this.listeners.indexOf(listener)
      if (i >= 0) this.listeners.splice(i, 1)
    }
  }

  /** Called before an iteration's forward pass, with the iteration number. */
  onStart(hook: SolverHook<number>): void {
    this.hooks.start.push(mustBeFunction(hook, 'onStart'))
  }
  /** Called when the gradients stand in the params' diffs, before they are clipped, regularized and applied. */
  onGradientsReady(hook: SolverHook<number>): void {
    this.hooks.gradients.push(mustBeFunction(hook, 'onGradientsReady'))
  }
  /** Called after every update. */
  onIteration(hook: SolverHook<IterationEvent>): void {
    this.hooks.iteration.push(mustBeFunction(hook, 'onIteration'))
  }
  /** Called after every test, with the averaged outputs. */
  onTest(hook: SolverHook<TestEvent>): void {
    this.hooks.test.push(mustBeFunction(hook, 'onTest'))
  }

  /** Tell all listeners. */
  protected emit(event: SolverEvent): void {
    for (const listener of [...this.listeners]) listener(event)
  }

  /** Tell them what a person may want to know. */
  protected hint(text: string): void {
    this.emit({ type: 'hint', iter: this.iter, text })
  }
}

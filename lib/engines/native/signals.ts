/** Keeps signals from code that cannot bear a handler. Runs on every thread of the pool: it must not import anything. */

type Koffi = typeof import('koffi')

/** What Linux and macOS call blocking signals and setting which are blocked; signals that the processor raises. */
const BLOCKING: Record<string, readonly [block: number, set: number, own: readonly number[]]> = {
  linux: [0, 2, [4, 7, 8, 11]],
  darwin: [1, 3, [4, 8, 10, 11]],
}

/**
 * Keeps signals from this thread while products of oneDNN run: version 2.6 counts with the stack pointer in them, so that
 * a handler, of Ctrl-C, of a child that ends, of a profiler, would write into whatever lies before the packed matrix.
 * Other threads take them meanwhile, or they wait.
 */
export function signals(koffi: Koffi): { block(): void; restore(): void } {
  const blocking = BLOCKING[process.platform]
  if (!blocking) return { block() {}, restore() {} }
  const [block, set, own] = blocking
  const library = koffi.load(null)
  const mask = library.func('int pthread_sigmask(int, void *, void *)')
  const [all, old] = [new Uint8Array(new ArrayBuffer(128)), new Uint8Array(new ArrayBuffer(128))]
  library.func('int sigfillset(void *)')(all)
  const remove = library.func('int sigdelset(void *, int)')
  for (const signal of own) remove(all, signal)
  return {
    block: () => void mask(block, all, old),
    restore: () => void mask(set, old, null),
  }
}

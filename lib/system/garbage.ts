import { importNode, isNode } from './nodejs.js'

/**
 * A function that collects garbage at once: `gc` where the program was started with it, else V8's own, which Node can
 * be asked for at run time. Undefined where there is none, as in a browser.
 */
export async function garbageCollector(): Promise<(() => void) | undefined> {
  const given = (globalThis as { gc?: () => void }).gc
  if (typeof given === 'function') return () => given()
  if (!isNode) return undefined
  try {
    const [v8, vm] = await Promise.all([importNode('node:v8'), importNode('node:vm')])
    let found: (() => void) | undefined
    return () => {
      found ??= exposedGc(v8, vm)
      found()
    }
  } catch {
    return undefined
  }
}

/** New contexts have a global `gc` while the flag is set; those that there are stay as they are. */
function exposedGc(v8: typeof import('node:v8'), vm: typeof import('node:vm')): () => void {
  try {
    v8.setFlagsFromString('--expose-gc')
    const gc: unknown = vm.runInNewContext('gc')
    v8.setFlagsFromString('--no-expose-gc')
    if (typeof gc === 'function') return () => gc()
  } catch {}
  return () => {}
}

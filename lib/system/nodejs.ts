/** Node's own modules that the library uses, each where it is needed: for files, threads, and the number of cores. */
interface NodeModules {
  'node:fs': typeof import('node:fs')
  'node:fs/promises': typeof import('node:fs/promises')
  'node:module': typeof import('node:module')
  'node:os': typeof import('node:os')
  'node:path': typeof import('node:path')
  'node:url': typeof import('node:url')
  'node:v8': typeof import('node:v8')
  'node:vm': typeof import('node:vm')
  'node:worker_threads': typeof import('node:worker_threads')
  'node:zlib': typeof import('node:zlib')
}

/**
 * A module of Node, imported when it is needed. The name is an argument, so that a bundler for browsers leaves the call
 * alone instead of looking for the module; in a browser nothing calls it. An `import` reads every export, and those of
 * node:fs load streams and more: Node gives the module itself since 20.16.
 */
export const importNode = async <Name extends keyof NodeModules>(name: Name): Promise<NodeModules[Name]> =>
  (process.getBuiltinModule?.(name) ??
    (await import(/* webpackIgnore: true */ /* @vite-ignore */ name))) as NodeModules[Name]

/** The same when the function is called, where Node gives its modules at once; else now. */
export async function importNodeLater<Name extends keyof NodeModules>(name: Name): Promise<() => NodeModules[Name]> {
  if (process.getBuiltinModule) return () => process.getBuiltinModule(name) as NodeModules[Name]
  const module = await importNode(name)
  return () => module
}

/** Whether Node's modules are here (Bun's and Deno's count). */
export const isNode = typeof process !== 'undefined' && !!process.versions?.node

/**
 * URL of an optional package as this one finds it, for workers whose code has no place of its own to resolve names from;
 * undefined if it is not installed. The name is an argument, so that bundlers do not look for the package.
 */
export function resolvePackage(name: string): string | undefined {
  try {
    return import.meta.resolve(name)
  } catch {
    return undefined
  }
}

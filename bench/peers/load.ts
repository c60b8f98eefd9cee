import { Refusal } from '../protocol.js'

/**
 * A package of bench/node_modules, typed by what is used of it: the project must compile where the peers are not
 * installed.
 */
export async function load<T>(name: string): Promise<T> {
  try {
    return (await import(name)) as T
  } catch (error) {
    throw new Refusal(
      `${name} does not load: ${firstLine(error)} (npm ci --ignore-scripts in bench/ installs the peers)`,
    )
  }
}

export const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]

/** ms that `task` takes. */
export async function timed(task: () => unknown): Promise<number> {
  const start = performance.now()
  await task()
  return performance.now() - start
}

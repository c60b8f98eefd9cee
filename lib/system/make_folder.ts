import { importNode } from './nodejs.js'

/**
 * Make a folder and those on the way to it, and resolve to the first that was made, or to undefined where all were
 * there. Rejects with what the system says. Node's own `mkdir` with `recursive` never comes back from a file system
 * that holds the parent and lets nobody make the child, such as /proc.
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  const { mkdir, stat } = await importNode('node:fs/promises')
  const { dirname } = await importNode('node:path')
  const make = () =>
    mkdir(path).then(
      () => path,
      async (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || !(await stat(path).catch(() => undefined))?.isDirectory()) throw error
        return undefined
      },
    )
  try {
    return await make()
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error
    const first = await makeFolder(parent)
    const made = await make()
    return first ?? made
  }
}

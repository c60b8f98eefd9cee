import { importNode } from '../../../system/nodejs.js'
import type { OnednnBinding } from './binding.js'
import { Library, Refused } from './library.js'

/** A oneDNN that has been opened on the main thread. */
export interface Onednn {
  readonly library: Library
  readonly binding: OnednnBinding
}

const opened = new Map<string, Onednn>()

/** Once for a process; undefined if it is of an API that is not known. */
export async function openOnednn(koffi: string, file: string): Promise<Onednn | undefined> {
  let onednn = opened.get(file)
  if (onednn) return onednn
  const { createRequire } = await importNode('node:module')
  try {
    const library = new Library(createRequire(koffi)(koffi) as typeof import('koffi'), file)
    onednn = { library, binding: { koffi, file, engine: library.engine } }
  } catch (error) {
    if (error instanceof Refused) return undefined
    throw error
  }
  opened.set(file, onednn)
  return onednn
}

import { relative } from 'node:path'
import type { ProjectContext } from '../core/job_context.js'
import { registerLayerFiles } from '../jobs/layers.js'
import { nodeStore } from './node_store.js'

/** A project's folder as jobs and what looks at jobs see it; paths are relative to the working directory. */
export function nodeProject(root: string): ProjectContext {
  const store = nodeStore(root)
  return {
    store,
    files: {},
    place: path => relative(process.cwd(), store.location(path)!) || '.',
    async loadCode(files) {
      await registerLayerFiles(files)
    },
  }
}

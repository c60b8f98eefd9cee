import type { ProjectContext } from '../core/job_context.js'
import type { Store } from '../core/store.js'
import type { ModuleUrls } from '../jobs/layers.js'

/** Milliseconds of work that a closed tab may cost. */
const CHECKPOINT = 10_000

/** A project in a browser as jobs and what looks at jobs see it: every file that a net names is one of its store. */
export function browserProject(store: Store, urls: ModuleUrls): ProjectContext {
  return {
    store,
    files: {
      files: {
        read: path => store.read(path),
        write: (path, bytes) => store.write(path, bytes),
        // databases may be larger than memory
        open: async path => ((await store.size(path)) === undefined ? undefined : store.open(path)),
      },
    },
    place: path => path,
    checkpointEvery: CHECKPOINT,
    async loadCode(files) {
      // most nets have no code of their own: what compiles it is fetched for those that do
      const { registerLayerFiles } = await import('../jobs/layers.js')
      await registerLayerFiles(files, urls)
    },
  }
}

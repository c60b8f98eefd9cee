import { existsSync } from 'node:fs'
import { StudioError } from '../api/index.js'

/** Programs and pages beside this one. */
export interface Beside {
  readonly job: URL
  readonly inspector: URL
  readonly engines: URL
  readonly page: URL
}

/** What a server starts and serves: built, wherever a build has put this file; or of the build that the sources have made. */
export function besideThis(): Beside {
  const places = ['./', '../studio/node/', '../../../dist/lib/studio/node/'].map(path => new URL(path, import.meta.url))
  const folder = places.find(place => existsSync(new URL('job_process.js', place)))
  if (!folder) throw new StudioError('the programs of Studio are not built: npm run build', 503)
  return {
    job: new URL('job_process.js', folder),
    inspector: new URL('inspector_process.js', folder),
    engines: new URL('engines_process.js', folder),
    page: new URL('../../../studio/page/', folder),
  }
}

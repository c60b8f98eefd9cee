import { access, cp, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeFolder } from '../../system/make_folder.js'
import { StudioError } from '../api/index.js'
import { besideThis } from './beside.js'
import { textParts } from './site_texts.js'

/** The built page, and what a site without a server has beside it or in place of it. */
export interface SiteFolders {
  readonly page: URL
  readonly site: URL
}

/**
 * Write Studio as a site that any host can give out: everything then happens in the browser of who opens it. A folder that
 * holds something else is left alone.
 */
export async function exportSite(out: string, { page, site }: SiteFolders): Promise<void> {
  const refuse = (error: Error): never => {
    throw new StudioError(`cannot write to '${out}': ${error.message}`, 400)
  }
  const there = await readdir(out).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? ([] as string[]) : refuse(error),
  )
  if (there.length && !there.includes('service_worker.js'))
    throw new StudioError(`'${out}' holds files that are no exported Studio: name a new or empty folder`, 409)
  for (const folder of [page, site])
    await access(folder).catch(() => {
      throw new StudioError('the page is not built: npm run build', 503)
    })
  await makeFolder(out).catch(refuse)
  for (const folder of [page, site]) await cp(fileURLToPath(folder), out, { recursive: true }).catch(refuse)
  for (const { file, text } of (await textParts()).values()) await writeFile(join(out, file), text).catch(refuse)
}

/** The same with what the build has put beside this program. */
export function exportStudio(out: string): Promise<void> {
  const { page } = besideThis()
  return exportSite(out, { page, site: new URL('../site/', page) })
}

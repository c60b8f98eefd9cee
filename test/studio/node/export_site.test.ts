import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { exportSite } from '../../../lib/studio/node/export_site.js'
import { textParts } from '../../../lib/studio/node/site_texts.js'
import { temporaryFolder } from '../built.js'

async function folders() {
  const root = await temporaryFolder()
  for (const [file, text] of Object.entries({
    'page/index.html': 'with a server',
    'page/main.js': 'main',
    'site/index.html': 'without one',
    'site/service_worker.js': 'worker',
    'site/_headers': '/*',
  })) {
    await mkdir(join(root, file, '..'), { recursive: true })
    await writeFile(join(root, file), text)
  }
  const url = (name: string) => pathToFileURL(`${join(root, name)}/`)
  return { root, built: { page: url('page'), site: url('site') } }
}

test('a site is the page with its own files beside it or in place of it, and is written again over itself', async () => {
  const { root, built } = await folders()
  const out = join(root, 'a/site')
  for (let i = 0; i < 2; i++) {
    await exportSite(out, built)
    const texts = [...(await textParts()).values()].map(({ file }) => file)
    const own = ['_headers', 'index.html', 'main.js', 'service_worker.js']
    expect((await readdir(out)).sort()).toEqual([...own, ...texts].sort())
    expect(await readFile(join(out, 'index.html'), 'utf8')).toBe('without one')
  }
})

test('texts of the library are what programs ask for by name, whole, and each asks for nothing itself', async () => {
  for (const [name, { file, text }] of await textParts()) {
    expect(file).toMatch(new RegExp(`^${name}-[A-F0-9]{8}\\.js$`))
    const module = { exports: {} }
    const part = (...[given, needs, run]: [string, string[], (require: unknown, module: object) => void]) => {
      expect([given, needs]).toEqual([file, []])
      run(undefined, module)
    }
    new Function('part', text)(part)
    expect(module.exports).toEqual({ ...(await import(`../../../lib/generated/${name}.ts`)) })
    expect(Object.keys(module.exports)).toHaveLength(1)
  }
})

test('a folder with something else, a file, and a page that is not built are said', async () => {
  const { root, built } = await folders()
  await expect(exportSite(join(root, 'page'), built)).rejects.toThrow(/holds files that are no exported Studio/)
  await expect(exportSite(join(root, 'page/main.js'), built)).rejects.toThrow(/cannot write to/)
  const site = pathToFileURL(join(root, 'nowhere/'))
  await expect(exportSite(join(root, 'b'), { ...built, site })).rejects.toThrow(/npm run build/)
})

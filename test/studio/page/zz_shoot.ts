import { mkdirSync } from 'node:fs'
import { buildPage } from '/work/wt/page/scripts/studio_page/build.js'
import { launch, serve, watched } from '/work/wt/page/test/studio/page/site.js'
import { gzipSync } from 'node:zlib'
const out = process.env.OUT ?? '/tmp/shots'
mkdirSync(out, { recursive: true })
const built = await buildPage('/work/wt/page/test/studio/page/fake/main.ts')
for (const part of ['first','editor','typescript'] as const) {
  const names = built[part]; let a=0,b=0
  for (const n of names) { const c = built.files.get(n)!; a+=c.length; b+=gzipSync(c).length }
  console.log(part, names.length, a, b)
}
const site = await serve(built.files)
const browser = await launch()
const widths = (process.env.W ?? '375,1280,2560').split(',').map(Number)
const themes = (process.env.T ?? 'light,dark').split(',') as ('light'|'dark')[]
const want = (process.env.S ?? '').split(',').filter(Boolean)
const screens: [string, string, ((p: import('playwright-core').Page) => Promise<void>)?][] = [
  ['home', '?still#/'],
  ['empty', '?still&empty#/'],
  ['broken', '?still&broken#/'],
  ['silent', '?still&silent#/'],
  ['huge', '?still&more=2000#/'],
  ['newdata', '?still#/datasets/new', async p => { await p.getByLabel('Or a path on the server').fill('mnist'); await p.getByText('Found 60,000').waitFor() ; await p.waitForTimeout(400) }],
  ['dataset', '?still#/jobs/20261128-1012-mn1s', async p => { await p.getByRole('button', {name: /^7/}).first().click(); await p.waitForTimeout(500) }],
  ['newmodel', '?still#/models/new', async p => { await p.getByRole('button', { name: /LeNet/ }).first().click(); await p.getByRole('button', { name: 'Customize' }).click(); await p.locator('.cm-content').waitFor(); await p.waitForTimeout(900); await p.locator('[data-layer="conv1"]').click(); await p.waitForTimeout(300) }],
  ['newmodel-first', '?still#/models/new', async p => { await p.waitForTimeout(400) }],
  ['newmodel-error', '?still#/models/new', async p => { await p.getByRole('button', { name: /LeNet/ }).first().click(); await p.getByRole('button', { name: 'Customize' }).click(); await p.locator('.cm-content').waitFor(); await p.locator('.cm-line', {hasText:'num_output: 20'}).click(); await p.keyboard.press('End'); for (let i=0;i<6;i++) await p.keyboard.press('ArrowLeft'); await p.keyboard.type('t'); await p.waitForTimeout(1400) }],
  ['layers', '?still#/models/new', async p => { await p.getByRole('button', { name: /LeNet/ }).first().click(); await p.waitForTimeout(400); await p.getByRole('radio',{name:'Layers'}).check(); await p.getByRole('button', { name: 'New file' }).click(); await p.locator('.cm-content').waitFor(); await p.getByRole('button', { name: 'Check gradients' }).click(); await p.waitForTimeout(900) }],
  ['training', '?#/jobs/20261129-0904-b1nk', async p => { await p.waitForTimeout(2200); await p.locator('.log summary').click(); await p.waitForTimeout(400) }],
  ['done', '?still#/jobs/20261128-1140-a1b2', async p => { await p.waitForTimeout(700) }],
  ['failed', '?still#/jobs/20261128-1215-fa1l', async p => { await p.waitForTimeout(700) }],
  ['try', '?still#/jobs/20261128-1140-a1b2/try', async p => { await p.waitForTimeout(1200) }],
  ['pad', '?still#/jobs/20261128-1140-a1b2/try', async p => { await p.getByRole('radio',{name:'Draw'}).check(); const b = (await p.locator('.pad canvas').boundingBox())!; await p.mouse.move(b.x+b.width*.3,b.y+b.height*.25); await p.mouse.down(); await p.mouse.move(b.x+b.width*.7,b.y+b.height*.25,{steps:8}); await p.mouse.move(b.x+b.width*.45,b.y+b.height*.8,{steps:8}); await p.mouse.up(); await p.waitForTimeout(900) }],
  ['plane', '?still#/jobs/20261128-1140-a1b2/try', async p => { await p.locator('.planes').nth(2).click({position:{x:60,y:40}}); await p.waitForTimeout(500) }],
  ['evaluation', '?still#/jobs/20261128-1400-ev4l', async p => { await p.waitForTimeout(900) }],
  ['compare', '?still#/compare?ids=20261128-1140-a1b2,20261129-0904-b1nk,20261128-1215-fa1l', async p => { await p.waitForTimeout(900) }],
  ['import', '?still#/import'],
  ['trust', '?still#/jobs/20261128-1330-trus', async p => { await p.getByRole('button', {name:'Look at the code'}).click(); await p.waitForTimeout(400) }],
  ['files', '?still#/jobs/20261128-1140-a1b2/files'],
  ['pretrained', '?still#/jobs/20261127-0900-pre1'],
  ['unknown', '?still#/nowhere'],
]
for (const theme of themes) for (const width of widths) {
  const { context, page, faults } = await watched(browser, site.url, { viewport: { width, height: width < 500 ? 812 : width > 2000 ? 1440 : 900 }, colorScheme: theme })
  for (const [name, path, act] of screens) {
    if (want.length && !want.includes(name)) continue
    await page.goto('about:blank'); await page.goto(site.url + path); await page.waitForTimeout(500)
    try { await act?.(page) } catch (e) { console.log(name, width, theme, String(e).slice(0, 400)) }
    await page.evaluate(() => scrollTo(0,0)); const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (over > 0) console.log('OVERFLOW', name, width, over)
    await page.screenshot({ path: `${out}/${name}-${width}-${theme}.png`, fullPage: process.env.FULL !== '0' && name !== 'huge' })
    if (faults.length) { console.log(name, width, theme, faults.splice(0).slice(0, 5)) }
  }
  await context.close()
}
await browser.close(); await site.close()

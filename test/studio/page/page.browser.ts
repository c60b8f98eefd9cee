/**
 * The page over a Studio in memory, in Chromium, under the headers of the real server: every screen without findings of
 * axe, in both themes; nothing in the console; no request to another host; by keyboard, too.
 */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PAGE_POLICY } from '../../../lib/studio/node/security.js'
import { buildPage } from '../../../scripts/studio_page/build.js'
import { chromiumPath, type Host, host, ISOLATED, launch, watched } from '../chromium.js'
import { findings } from './axe.js'

const entry = new URL('fake/main.ts', import.meta.url).pathname
const DATASET = '20261128-1012-mn1s'
const LENET = '20261128-1140-a1b2'
const BLANK = '20261129-0904-b1nk'

let site: Host
let browser: Browser

beforeAll(async () => {
  if (!chromiumPath) return
  site = await host((await buildPage(entry)).files, {
    ...ISOLATED,
    'content-security-policy': PAGE_POLICY,
    'x-content-type-options': 'nosniff',
  })
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await site?.close()
})

/** A screen, ready to be looked at; at the end nothing may have gone wrong. */
async function on(address: string, look: (page: Page) => Promise<void>, options: Parameters<typeof watched>[2] = {}) {
  const { context, page, faults } = await watched(browser, site.url, options)
  try {
    await page.goto(site.url + address)
    await look(page)
    expect(faults).toEqual([])
  } finally {
    await context.close()
  }
}

const openEditor = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: /^LeNet/ }).click()
  await page.getByRole('button', { name: 'Customize' }).click()
  await page.locator('.cm-content').waitFor()
  await page.locator('[data-layer="conv1"]').waitFor()
}

/** Take what the editor offers by its key: a list that has just opened, or still asks, lets keys pass into the text. */
const takeOffer = async (page: Page, name: string): Promise<void> => {
  await page
    .locator('.cm-tooltip-autocomplete:not(.cm-tooltip-autocomplete-disabled) li[aria-selected]', { hasText: name })
    .waitFor()
  // CodeMirror's interactionDelay is 75 ms, by the page's own clock
  await page.evaluate(() => new Promise(resolve => setTimeout(resolve, 150)))
  await page.keyboard.press('Enter')
}

/** Every screen, in the states that it has: where it is, what shows that it is there, what is done first. */
const screens: [name: string, address: string, ready: string, act?: (page: Page) => Promise<unknown>][] = [
  ['home', '?still#/', 'text=LeNet with blank square'],
  ['home, nothing yet', '?still&empty#/', 'text=Make a net that sees'],
  ['home, no answer yet', '?still&silent#/', '.waiting'],
  ['home, no server', '?still&broken#/', 'text=the server does not answer'],
  ['home, thousands', '?still&more=2000#/', 'text=100 of 2,010'],
  ['new dataset', '?still#/datasets/new', 'text=Where the pictures are'],
  [
    'new dataset, preview',
    '?still#/datasets/new',
    'text=Or a path',
    async page => {
      await page.getByLabel('Or a path on the server').fill('mnist')
      await page.getByText('Found 60,000 pictures').waitFor()
    },
  ],
  ['dataset', `?still#/jobs/${DATASET}`, '.pictures img'],
  ['new model', '?still#/models/new', 'text=SqueezeNet'],
  [
    'new model, net',
    '?still#/models/new',
    'text=SqueezeNet',
    async page => {
      await openEditor(page)
      await page.locator('[data-layer="conv1"]').click()
    },
  ],
  [
    'new model, layers',
    '?still#/models/new',
    'text=SqueezeNet',
    async page => {
      await page.getByRole('button', { name: /^LeNet/ }).click()
      await page.getByRole('radio', { name: 'Layers' }).check()
      await page.getByRole('button', { name: 'New file' }).click()
      await page.locator('.cm-content').waitFor()
      await page.getByRole('button', { name: 'Check gradients' }).click()
      await page.getByText('14,400 derivatives').waitFor()
    },
  ],
  [
    'training',
    `?still#/jobs/${BLANK}`,
    '.plot canvas',
    async page => {
      await page.getByText('Log', { exact: true }).click()
      await page.locator('.numbers summary').first().click()
    },
  ],
  ['training, failed', '?still#/jobs/20261128-1215-fa1l', 'text=the loss is not finite'],
  ['training, queued', '?still#/jobs/20261129-0907-s0lo', 'text=No point yet'],
  [
    'foreign code',
    '?still#/jobs/20261128-1330-trus',
    'text=It brings programs',
    async page => {
      await page.getByRole('button', { name: 'Look at the code' }).click()
      await page.getByText('export class SwirlLayer').waitFor()
    },
  ],
  ['model', `?still#/jobs/${LENET}/try`, '.layer-row'],
  ['model, pad', `?still#/jobs/${LENET}/try`, '.layer-row', page => page.getByRole('radio', { name: 'Draw' }).check()],
  [
    'model, one plane',
    `?still#/jobs/${LENET}/try`,
    '.layer-row',
    async page => {
      await page.locator('.planes').nth(2).press('Enter')
      await page.getByText('plane 1 of 20').waitFor()
    },
  ],
  ['files', `?still#/jobs/${LENET}/files`, 'text=net.prototxt'],
  ['evaluation', '?still#/jobs/20261128-1400-ev4l', '.matrix'],
  ['compare', `?still#/compare?ids=${LENET},${BLANK}`, '.differs'],
  ['import', '?still#/import', 'text=Model archive'],
  ['pretrained', '?still#/jobs/20261127-0900-pre1', 'text=Read from an archive'],
  ['no such job', '?still#/jobs/20261101-0000-none', 'text=there is no job'],
  ['nowhere', '?still#/nowhere', 'text=leads nowhere'],
]

describe.skipIf(!chromiumPath)('every screen', () => {
  test.each(screens)(
    '%s: axe finds nothing, in light and dark, and nothing is wider than a phone',
    (_, address, ready, act) =>
      on(
        address,
        async page => {
          await page.locator(ready).first().waitFor()
          await act?.(page)
          expect(await findings(page)).toEqual([])
          // nothing but colours differs in the dark
          await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
          expect(await findings(page, ['color-contrast', 'link-in-text-block'])).toEqual([])
          await page.setViewportSize({ width: 375, height: 812 })
          const wider = () =>
            page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
          await expect.poll(wider).toBeLessThanOrEqual(0)
        },
        { colorScheme: 'light', reducedMotion: 'reduce' },
      ),
  )
})

test.skipIf(!chromiumPath)(
  'the header is as wide as the page beside its scrollbar, however long the page is',
  async () => {
    const own = await launch({ scrollbars: true })
    try {
      const page = await own.newPage()
      await page.goto(`${site.url}?still#/nowhere`)
      await page.locator('text=leads nowhere').waitFor()
      for (const height of [1000, 200]) {
        await page.setViewportSize({ width: 900, height })
        const widths = () =>
          page.evaluate(() => [
            document.querySelector('.top')!.getBoundingClientRect().right,
            document.documentElement.clientWidth,
          ])
        await expect.poll(widths).toEqual([885, 885])
      }
    } finally {
      await own.close()
    }
  },
)

describe.skipIf(!chromiumPath)('what a person does', () => {
  test('filters two thousand jobs, chooses two and compares them', () =>
    on('?still&more=2000#/', async page => {
      await page.getByLabel('Filter by name').fill('Sweep 77')
      await expect.poll(() => page.locator('.jobs tbody tr').count()).toBe(38)
      await page.getByLabel('Choose Sweep 771 ').check()
      await page.getByLabel('Choose Sweep 772 ').check()
      await page.getByRole('button', { name: 'Compare 2' }).click()
      await page.getByRole('heading', { name: 'Where they differ' }).waitFor()
      expect(page.url()).toContain('#/compare?ids=')
    }))

  test('deletes a job and takes it back; what others need stays, and they are named', () =>
    on('?still#/', async page => {
      const row = page.getByRole('row', { name: /Too fast/ })
      await row.locator('summary').click()
      await row.getByRole('button', { name: 'Delete' }).click()
      await expect.poll(() => row.count()).toBe(0)
      await page.getByRole('button', { name: 'Undo' }).click()
      await row.waitFor()
      const dataset = page.getByRole('row', { name: /^Dataset MNIST|MNIST done/ }).last()
      await dataset.locator('summary').click()
      await dataset.getByRole('button', { name: 'Delete' }).click()
      await page.getByText(/MNIST stays: .*LeNet/).waitFor()
    }))

  test('writes a net: a mark stands on its line and suggests the right name, and a click takes it', () =>
    on('?still#/models/new', async page => {
      await openEditor(page)
      await page.locator('.cm-line', { hasText: 'num_output: 20' }).click()
      await page.keyboard.press('Home')
      await page.keyboard.press('End')
      for (let step = 0; step < 4; step++) await page.keyboard.press('ArrowLeft')
      await page.keyboard.press('Backspace')
      const mark = page.locator('.mark-list .error').first()
      await mark.getByText(/num_outpu/).waitFor()
      await mark.getByRole('button', { name: 'Line 22' }).waitFor()
      expect(await page.locator('.cm-lint-marker-error').count()).toBe(1)
      await page.locator('.cm-lintRange-error').hover()
      await page.getByRole('button', { name: 'Write num_output' }).click()
      await page.getByText('No errors').waitFor()
      await page.locator('.cm-line', { hasText: 'num_output: 20' }).waitFor()
    }))

  test('is offered names of the schema, types, and blobs from above', () =>
    on('?still#/models/new', async page => {
      await openEditor(page)
      await page.locator('.cm-line', { hasText: 'num_output: 20' }).click()
      await page.keyboard.press('End')
      await page.keyboard.press('Enter')
      await page.keyboard.type('dila')
      await takeOffer(page, 'dilation')
      await page.locator('.cm-line', { hasText: 'dilation:' }).waitFor()
    }))

  test('walks the graph by keyboard and reads a layer', () =>
    on('?still#/models/new', async page => {
      await openEditor(page)
      await page.locator('[data-layer="scale"]').focus()
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Enter')
      const facts = page.getByRole('complementary', { name: 'conv1' })
      await facts.getByText('64 × 20 × 24 × 24').waitFor()
      await facts.getByText('520').waitFor()
      await page.getByLabel('Search name, type or shape').fill('50×8')
      await page.keyboard.press('Enter')
      await page.getByRole('complementary', { name: 'conv2' }).waitFor()
    }))

  test('makes two jobs of two rates', () =>
    on('?still#/models/new', async page => {
      await page.getByRole('button', { name: /^LeNet/ }).click()
      await page.getByLabel('Learning rate', { exact: true }).fill('0.01, 0.001')
      await page.getByRole('button', { name: 'Create 2 jobs' }).click()
      await page
        .getByRole('row', { name: /LeNet, rate 0.001/ })
        .first()
        .waitFor()
      await page
        .getByRole('row', { name: /LeNet, rate 0.01 / })
        .first()
        .waitFor()
    }))

  test('watches a training: points come by themselves', () =>
    on(`?#/jobs/${BLANK}`, async page => {
      const described = (): Promise<string> => page.locator('.plot').first().getAttribute('aria-label').then(String)
      await page.locator('.plot canvas').first().waitFor()
      const before = await described()
      await expect.poll(described, { timeout: 20_000 }).not.toBe(before)
    }))

  test('draws by keyboard, and the prediction is live', () =>
    on(`?still#/jobs/${LENET}/try`, async page => {
      await page.getByRole('radio', { name: 'Draw' }).check()
      await page.locator('.pad canvas').focus()
      await page.keyboard.press(' ')
      for (let step = 0; step < 8; step++) await page.keyboard.press('ArrowRight')
      await page.locator('.classes .first', { hasText: '7' }).waitFor()
      await page.getByRole('heading', { name: /What every layer did \(11\)/ }).waitFor()
    }))

  test('opens as many pictures as a cell of the matrix says', () =>
    on('?still#/jobs/20261128-1400-ev4l', async page => {
      const cell = page.locator('.cell.wrong:not(.zero)').first()
      const number = Number(await cell.textContent())
      await cell.click()
      await expect.poll(() => page.locator('#evaluated .pictures img').count()).toBe(number)
    }))

  test('shows the pictures of a dataset that are hardest for a model first', () =>
    on(`?still#/jobs/${DATASET}`, async page => {
      await page.getByLabel('Order').selectOption({ label: 'Hardest for LeNet on val' })
      await page.locator('.pictures .caption.wrong', { hasText: ', said ' }).first().waitFor()
    }))

  test('sends one picture through each of the models that it compares', () =>
    on(`?still#/compare?ids=${LENET},${BLANK}`, async page => {
      await page.getByLabel(/^Number, of/).fill('7')
      await expect
        .poll(() => page.locator('.same-picture .classes .first .class-name').allTextContents())
        .toEqual(['7', '7'])
    }))

  test('reads foreign code before it runs', () =>
    on('?still#/jobs/20261128-1330-trus', async page => {
      await page.getByRole('button', { name: 'Look at the code' }).click()
      await page.getByText('9ab4'.repeat(16)).waitFor()
      await page.getByRole('button', { name: 'Not now' }).click()
      await page.getByText('It brings programs').first().waitFor()
      await page.getByRole('button', { name: 'Look at the code' }).click()
      await page.getByRole('button', { name: 'Run this code' }).click()
      await expect.poll(() => page.locator('.banner').count()).toBe(0)
    }))

  test('is told which field a form is refused for', () =>
    on('?still#/datasets/new', async page => {
      await page.getByLabel('Or a path on the server').fill('mnist')
      await page.getByLabel('Name', { exact: true }).fill('refused')
      await page.getByRole('button', { name: 'Create' }).click()
      await page.locator('.field.bad', { hasText: 'another job has this name' }).waitFor()
    }))

  test('a window takes the focus, Escape gives it back', () =>
    on(`?still#/jobs/${LENET}/files`, async page => {
      const file = page.getByRole('button', { name: 'net.prototxt', exact: true })
      await file.focus()
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').waitFor()
      await page.keyboard.press('Escape')
      await expect.poll(() => page.getByRole('dialog').count()).toBe(0)
      expect(await file.evaluate(element => element === document.activeElement)).toBe(true)
    }))
})

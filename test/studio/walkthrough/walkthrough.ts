/**
 * The walkthrough of Studio, step by step as a person does it, whatever computes: a server, or the page alone. What cannot
 * be done from within a page (ending a process, reading a folder) the mode does.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { expect } from 'vitest'
import { readArchive, writeZip } from '../../../lib/data/archive.js'
import { findings } from '../page/axe.js'
import { BLANK, type Library, MNIST, weightsOf } from './library.js'

/** What differs between the modes. */
export interface Mode {
  /** The address that opens the project. */
  readonly address: string
  /** End what computes a job, as a crash does. */
  kill(job: string): Promise<void>
  /** The bytes of a file of a job. */
  file(job: string, path: string): Promise<Uint8Array>
  /** The same training without a crash, by the library alone. */
  library(texts: { net: string; solver: string }): Promise<Library>
  /** The command line as a program. */
  readonly cli: string
  /** Nothing answers any more; `back`, where there is a server to start again, makes it answer. */
  cut(): Promise<void>
  back?(): Promise<void>
  /** Where the pictures of the walkthrough are saved; nothing: none are taken. */
  readonly pictures?: string
}

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
  private library?: Library
  /** A picture of the validation set, and what the model says of it, as the page writes that. */
  private seven?: { readonly png: Buffer; readonly said: readonly string[] }
  private accuracy = 0

  constructor(
    readonly page: Page,
    readonly mode: Mode,
  ) {}

  private async axe(where: string): Promise<void> {
    expect(await findings(this.page), where).toEqual([])
  }

  /** A picture for the docs, from the top of the page or from an element on. */
  private async picture(name: string, { from, width = 1280 }: { from?: string; width?: number } = {}): Promise<void> {
    const { page, mode } = this
    if (!mode.pictures) return
    await page.setViewportSize({ width, height: 900 })
    await page.mouse.move(0, 0)
    if (from === undefined) await page.evaluate(() => scrollTo(0, 0))
    else
      await page
        .locator(from)
        .first()
        .evaluate(element => scrollTo(0, element.getBoundingClientRect().top + scrollY - 60))
    // canvases follow the frame
    await page.evaluate(() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))))
    const shot = await page.screenshot({ animations: 'disabled', caret: 'hide' })
    const small = await sharp(shot).png({ palette: true, colours: 64, compressionLevel: 9 }).toBuffer()
    await writeFile(join(mode.pictures, `studio-${name}.png`), small)
    await page.setViewportSize({ width: 1280, height: 900 })
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
    await this.picture('new-model', { width: 1700 })
  }

  /** 5: a quarter of an epoch, or the tutorial's one, through a crash in its middle; the weights are those of a training without one. */
  async train(): Promise<void> {
    const { page, mode } = this
    const epochs = mode.pictures ? 1 : 0.25
    const iterations = 704 * epochs
    await page.getByLabel('Epochs').fill(`${epochs}`)
    await page.getByLabel('Test every').fill(`${epochs / 2}`)
    await page.getByLabel('Snapshot every').fill(`${epochs / 2}`)
    await page.getByLabel('Learning rate', { exact: true }).fill('0.02')
    await page.getByLabel('Policy').selectOption('poly')
    await page.getByLabel('Power').fill('1')
    await page.getByRole('main').getByLabel('Name', { exact: true }).fill('LeNet blank')
    await page.getByText(new RegExp(`^Solver, ${iterations} iterations`)).waitFor({ timeout: LONG })
    await page.getByRole('button', { name: 'Create' }).click()
    await page.waitForURL(/#\/jobs\//)
    this.model = this.jobOfAddress()
    const described = (): Promise<string> =>
      page.locator('.plot').first().getAttribute('aria-label', { timeout: LONG }).then(String)
    // half of it stands: there is a snapshot to go on from
    await page.locator('.snapshots li').first().waitFor({ timeout: LONG })
    const before = await described()
    await until(described, value => value !== before)
    await this.axe('training')
    await this.picture('training')
    await mode.kill(this.model)
    await page
      .getByText(/attempt 2/)
      .first()
      .waitFor({ timeout: LONG })
    await page.locator('.job-now .badge.done').waitFor({ timeout: LONG })
    const text = async (path: string) => new TextDecoder().decode(await mode.file(this.model, path))
    const texts = { net: await text('net.prototxt'), solver: await text('solver.prototxt') }
    this.library = await mode.library(texts)
    const trained = await mode.file(this.model, `snapshots/model_iter_${iterations}.caffemodel`)
    expect(weightsOf(trained)).toEqual(weightsOf(this.library.caffemodel))
  }

  /** 6: it learned, and its best snapshot is marked. */
  async checkTraining(): Promise<void> {
    const { page } = this
    await until(
      async () => Number.parseFloat((await page.locator('.snapshots .best .number').first().textContent()) ?? ''),
      accuracy => accuracy >= 90,
    )
    await this.axe('training, done')
  }

  /** 7: a seven through every layer; what the layer of one's own does in training; a seven that is drawn. */
  async testOne(): Promise<void> {
    const { page } = this
    const { item, mean, png } = await this.library!.look(7)
    await this.tryIt()
    await page.getByLabel(/^Number, of/).fill(String(item))
    await until(
      () => page.locator('.classes .first .class-name').textContent(),
      value => value === '7',
    )
    for (const layer of ['data', 'conv1', 'pool2', 'ip2'])
      await page
        .locator('.layer-row h3', { hasText: new RegExp(`^${layer}$`) })
        .first()
        .waitFor()
    const row = page.locator('.layer-row.activation', { has: page.locator('h3', { hasText: /^conv1$/ }) })
    await row.locator('canvas').waitFor()
    expect(Number(await row.locator('dd').first().getAttribute('title'))).toBeCloseTo(mean, 6)
    await row.locator('.spark rect').first().waitFor({ state: 'attached' })
    const said = await page.locator('.classes li').allTextContents()
    this.seven = { said, png }
    await this.axe('test one')
    await this.picture('layer-view', { from: '.layers' })
    expect(await this.isBlanked()).toBe(false)
    await page.getByLabel('Stage').selectOption('train')
    await until(
      () => this.isBlanked(),
      blanked => blanked,
    )
    await page.getByLabel('Stage').selectOption('deploy')
    await this.drawSeven()
    await this.picture('try')
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
    this.accuracy = trace / sum
    const shown = await page.locator('.big-figure', { hasText: 'accuracy' }).locator('strong').textContent()
    expect(shown).toBe(`${(100 * this.accuracy).toFixed(2)}\u00a0%`)
    const cell = page.locator('.cell.wrong:not(.zero)').first()
    const number = Number(await cell.textContent())
    await cell.click()
    await until(
      () => page.locator('#evaluated .pictures img').count(),
      value => value === Math.min(50, number),
    )
    // the nine that are surest of their class
    expect(await page.locator('.panel', { hasText: 'Surest for' }).locator('.pictures .caption').count()).toBe(9)
    await this.axe('evaluation')
    await this.picture('evaluation')
  }

  /** 9: its archive runs without Studio; with another's code in it, it comes back once a person has read that. */
  async archive(): Promise<void> {
    const { page, mode } = this
    await this.tryIt()
    const coming = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download' }).click()
    const zip = await readFile(await (await coming).path())
    const files = await readArchive(zip, 'model.zip')
    const folder = join(this.library!.folder, 'archive')
    await symlink('dataset', join(this.library!.folder, this.dataset))
    for (const [name, bytes] of files) {
      await mkdir(join(folder, dirname(name)), { recursive: true })
      await writeFile(join(folder, name), bytes)
    }
    const test = ['test', '--model', 'train_val.prototxt', '--weights', 'model.caffemodel', '--stage', 'val']
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [mode.cli, ...test, '--iterations', '250', '--json'],
      { cwd: folder },
    )
    const { outputs } = JSON.parse(stdout) as { outputs: { name: string; value: number }[] }
    expect(outputs.find(({ name }) => name === 'accuracy')!.value).toBeCloseTo(this.accuracy, 5)
    const file = 'layers/blank_square.ts'
    const code = `// from a colleague\n${new TextDecoder().decode(files.get(file))}`
    const sha256 = createHash('sha256').update(code).digest('hex')
    const info = new TextDecoder().decode(files.get('info.json')).replace(/("sha256": ")[^"]*/, `$1${sha256}`)
    files.set(file, new TextEncoder().encode(code)).set('info.json', new TextEncoder().encode(info))
    const buffer = Buffer.from(await writeZip(files))
    await page.getByRole('link', { name: 'Import' }).click()
    await page
      .locator('.drop input[type=file]')
      .first()
      .setInputFiles({ name: 'colleague.zip', mimeType: 'application/zip', buffer })
    await page.getByText('colleague.zip').waitFor()
    await this.axe('import')
    await page.getByRole('button', { name: 'Import' }).click()
    await page.getByRole('button', { name: 'Look at the code' }).click({ timeout: LONG })
    await page.getByText(sha256).waitFor()
    await page.getByText('// from a colleague').waitFor()
    await this.axe('code from elsewhere')
    await this.picture('trust')
    await page.getByRole('button', { name: 'Not now' }).click()
    await page.locator('.badge', { hasText: 'waits for consent' }).first().waitFor()
    expect(await page.getByRole('link', { name: 'Try it' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Look at the code' }).click()
    await page.getByRole('button', { name: 'Run this code' }).click()
    await page.locator('.badge.done').first().waitFor({ timeout: LONG })
    // it says the same of the same picture, which is a file to it
    await page.getByRole('navigation', { name: 'Views of this job' }).getByRole('link', { name: 'Try it' }).click()
    const picture = { name: 'seven.png', mimeType: 'image/png', buffer: this.seven!.png }
    await page.locator('.drop input[type=file]').first().setInputFiles(picture)
    await until(
      () => page.locator('.classes li').allTextContents(),
      said => said.join() === this.seven!.said.join(),
    )
  }

  /** 10: two rates make two jobs, which differ in one setting; what they need stays. */
  async compare(): Promise<void> {
    const { page } = this
    await page.goto(`${page.url().split('#')[0]}#/jobs/${this.model}`)
    await page.getByRole('button', { name: 'Clone' }).click()
    await page.getByLabel('Learning rate', { exact: true }).fill('0.01, 0.001')
    await page.getByLabel('Epochs').fill('0.1')
    await page.getByRole('button', { name: 'Create 2 jobs' }).click()
    await page.getByRole('heading', { name: 'Jobs' }).waitFor()
    // small ones: both are over soon
    await until(
      () => page.locator('.jobs .badge.queued, .jobs .badge.running').count(),
      open => open === 0,
    )
    for (const box of (await page.locator('.jobs .pick input').all()).slice(0, 2)) await box.check()
    await this.axe('home with jobs')
    await this.picture('jobs')
    await page.getByRole('button', { name: 'Compare 2' }).click()
    await page.locator('.differs').first().waitFor({ timeout: LONG })
    expect(await page.locator('.differs').count()).toBe(1)
    await page.getByLabel('What').selectOption('loss')
    await page.locator('.same-picture .classes').nth(1).waitFor({ timeout: LONG })
    await this.axe('compare')
    await this.picture('compare')
    await page.goto(`${page.url().split('#')[0]}#/jobs/${this.dataset}`)
    await page.locator('.job-head .menu summary').click()
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.locator('.notice.bad', { hasText: 'LeNet blank' }).waitFor()
  }

  /** 11: nothing answers any more. What computes in the page goes on; a page of a server says so, and goes on when it is back. */
  async offline(): Promise<void> {
    const { page, mode } = this
    await this.tryIt()
    await mode.cut()
    if (mode.back) {
      await page.getByRole('radio', { name: 'Draw' }).check()
      await this.drawSeven(false)
      await page.locator('.failure', { hasText: 'the server does not answer' }).waitFor({ timeout: LONG })
      await mode.back()
      await page.getByRole('button', { name: 'Clear' }).click()
    }
    await this.drawSeven()
    await this.axe('after all')
  }

  /** The screen on which the model is tried, once it has said something. */
  private async tryIt(): Promise<void> {
    const { page } = this
    await page.goto(`${page.url().split('#')[0]}#/jobs/${this.model}/try`)
    await page.locator('.layer-row').first().waitFor({ timeout: LONG })
  }

  /** Whether the data shows a square of half the height and width in a colour of its own: zeros, where paper is another value. */
  private isBlanked(): Promise<boolean> {
    const row = this.page.locator('.layer-row.activation', {
      has: this.page.locator('h3', { hasText: /^(train-)?data$/ }),
    })
    // the first top; the label is another
    return row
      .locator('canvas')
      .first()
      .evaluate((canvas: HTMLCanvasElement) => {
        const { width, height } = canvas
        // of a copy: Chromium warns of drawings that are read again and again
        const copy = Object.assign(document.createElement('canvas'), { width, height })
        const context = copy.getContext('2d', { willReadFrequently: true })!
        context.drawImage(canvas, 0, 0)
        const { data } = context.getImageData(0, 0, width, height)
        const at = (x: number, y: number) => data.slice(4 * (y * width + x), 4 * (y * width + x) + 3).join()
        const counts = new Map<string, number>()
        for (let p = 0; p < width * height; p++) {
          const color = at(p % width, Math.floor(p / width))
          counts.set(color, (counts.get(color) ?? 0) + 1)
        }
        const [paper] = [...counts].sort((a, b) => b[1] - a[1])[0]
        const [w, h] = [width / 2, height / 2]
        for (let y = 0; y + h <= height; y++)
          for (let x = 0; x + w <= width; x++) {
            const color = at(x, y)
            if (color === paper) continue
            let same = 0
            while (same < w * h && at(x + (same % w), y + Math.floor(same / w)) === color) same++
            if (same === w * h) return true
          }
        return false
      })
  }

  /** A seven on the pad; what the net says of it is awaited, unless nobody answers. */
  private async drawSeven(answered = true): Promise<void> {
    const { page } = this
    await page.getByRole('radio', { name: 'Draw' }).check()
    const pad = (await page.locator('.pad canvas').boundingBox())!
    const at = (x: number, y: number): [number, number] => [pad.x + pad.width * x, pad.y + pad.height * y]
    await page.mouse.move(...at(0.28, 0.25))
    await page.mouse.down()
    await page.mouse.move(...at(0.7, 0.25), { steps: 8 })
    await page.mouse.move(...at(0.45, 0.78), { steps: 8 })
    await page.mouse.up()
    if (!answered) return
    await until(
      () => page.locator('.classes .first .class-name').textContent(),
      value => value === '7',
    )
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

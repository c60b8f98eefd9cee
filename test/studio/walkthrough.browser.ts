/** The walkthrough, MNIST whole: the same steps with a server and its processes, and on the exported site. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { builtStudio } from './built.js'
import { chromiumPath } from './chromium.js'
import { closeLibraries, type Opened, withoutServer, withServer } from './walkthrough/modes.js'
import { walkthroughSteps } from './walkthrough/steps.js'
import { Walkthrough } from './walkthrough/walkthrough.js'

let built: Promise<URL> | undefined
afterAll(closeLibraries)

describe.skipIf(!chromiumPath).each([
  ['with a server', withServer],
  ['without a server', withoutServer],
])('the walkthrough, %s', (_, open) => {
  let opened: Opened
  let walk: Walkthrough
  beforeAll(async () => {
    opened = await open(await (built ??= builtStudio()))
    walk = new Walkthrough(opened.page, opened.mode)
  })
  afterAll(() => opened?.close())

  let broken = ''
  test.each(walkthroughSteps)('%s', { timeout: 1_800_000 }, async (name, step) => {
    if (broken) throw new Error(`the step before did not end well: ${broken}`)
    broken = name
    await step(walk)
    expect(opened.faults.splice(0).filter(fault => !opened.expected.test(fault))).toEqual([])
    broken = ''
  })
})

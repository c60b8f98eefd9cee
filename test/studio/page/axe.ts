/** What axe-core finds wrong on a page, a line each. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Axe {
  run(
    context: Document,
    options: object,
  ): Promise<{
    violations: readonly {
      id: string
      help: string
      nodes: readonly { target: readonly unknown[]; failureSummary?: string }[]
    }[]
  }>
}

/** Rules of WCAG 2.2 AA and axe's own good practice. */
export async function findings(page: Page): Promise<string[]> {
  // evaluated from outside: the page's own policy lets no such script in
  await page.evaluate(source)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: Axe }
    const { violations } = await axe.run(document, { resultTypes: ['violations'] })
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(
        ({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary?.split('\n')[1]?.trim()}`,
      ),
    )
  })
}

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

/** Rules of WCAG 2.2 AA and axe's own good practice, or those of its rules that are named. */
export async function findings(page: Page, rules?: readonly string[]): Promise<string[]> {
  // evaluated from outside: the page's own policy lets no such script in
  await page.evaluate(source)
  return page.evaluate(async only => {
    const { axe } = globalThis as unknown as { axe: Axe }
    const { violations } = await axe.run(document, {
      resultTypes: ['violations'],
      ...(only && { runOnly: { type: 'rule', values: only } }),
    })
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(
        ({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary?.split('\n')[1]?.trim()}`,
      ),
    )
  }, rules)
}

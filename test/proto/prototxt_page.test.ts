import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { render } from '../../scripts/prototxt-docs.js'

test('docs/prototxt.md is what the schema says: npx tsx scripts/prototxt-docs.ts', { tags: 'long' }, async () => {
  const page = readFileSync(new URL('../../docs/prototxt.md', import.meta.url), 'utf8')
  expect(page === (await render())).toBe(true)
  for (const field of ['num_output', 'lr_policy', 'yolov3_param', 'warmup_iter'])
    expect(page).toContain(`| \`${field}\``)
})

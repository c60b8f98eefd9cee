import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('a worker thread and its program train at the same time, each as it does alone', () => {
  const script = fileURLToPath(new URL('worker_child.ts', import.meta.url))
  const output = execFileSync(process.execPath, ['--import', 'tsx', script], { encoding: 'utf8' })
  expect(output.trim()).toBe('the same')
})

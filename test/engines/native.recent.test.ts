import { expect, test } from 'vitest'
import { Recent } from '../../lib/engines/native/onednn/recent.js'

test('what was used last is kept as long as there is room, and what there is none of is asked for once', () => {
  const gone: string[] = []
  let made = 0
  const recent = new Recent<{ bytes: number; dispose(): void }>(100)
  const get = (name: string, bytes: number) =>
    recent.get(name, () => {
      made++
      return bytes ? { bytes, dispose: () => void gone.push(name) } : undefined
    })
  const a = get('a', 40)
  get('b', 40)
  expect(get('none', 0)).toBeUndefined()
  expect(get('none', 0)).toBeUndefined()
  expect(get('a', 40)).toBe(a)
  expect(made).toBe(3)
  get('c', 40)
  expect(gone).toEqual(['b'])
  get('large', 500)
  expect(gone).toEqual(['b', 'a', 'c'])
  expect(get('large', 500)?.bytes).toBe(500)
  expect(made).toBe(5)
  get('a', 10)
  expect(gone).toEqual(['b', 'a', 'c', 'large'])
})

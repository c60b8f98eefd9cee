import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { unexportedTypes } from './exported_types.js'
import { consumer } from './helpers.js'

const dist = join(consumer, 'node_modules/ristretto/dist/lib')

test('every type that a public signature mentions has a public name', () => {
  const faces = ['index', 'pycaffe/index', 'tools/index', 'proto/types', 'testing', 'studio/index'].map(face =>
    join(dist, `${face}.d.ts`),
  )
  expect(unexportedTypes(faces)).toEqual([])
})

test('the search finds one that has none', () => {
  const own = join(dist, 'own.d.ts')
  writeFileSync(
    own,
    `interface Secret { n: number }
     interface Deep { secret: Secret }
     export interface Open { deep(): Promise<Deep> }
     export declare class Safe { private hidden; of<T>(value: T): Open }
     export {}`,
  )
  expect(unexportedTypes([own])).toEqual(['Deep of own.d.ts, in Open'])
})

import { expect, test } from 'vitest'
import { jsKernels } from '../../lib/engines/plain_loops.js'
import { kernelCases } from '../../lib/testing/kernel_cases/index.js'
import { checkKernels } from './wasm.js'

test('every kernel has cases', () => {
  expect(Object.keys(jsKernels).filter(name => !(name in kernelCases))).toEqual([])
})

test.each(Object.entries(kernelCases))('no two cases of %s have the same name', (_, cases) => {
  const names = cases.map(({ name }) => name)
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})

// several chunks and blocks of everything are in wasm.long.test.ts
checkKernels(({ hostOnly }) => hostOnly !== 'large' && hostOnly !== 'huge')

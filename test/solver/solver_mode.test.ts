import { expect, test } from 'vitest'
import { make } from './solver_mode.js'

test('left out, or written as CPU, it does not', async () => {
  expect(await make({})).toEqual({ engine: 'wasm', notices: [] })
  expect(await make({ solver_mode: 'CPU' })).toEqual({ engine: 'wasm', notices: [] })
})

test('the engine option wins', async () => {
  expect(await make({ solver_mode: 'GPU' }, { engine: 'js' })).toEqual({ engine: 'js', notices: [] })
})

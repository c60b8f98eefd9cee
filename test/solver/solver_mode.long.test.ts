import { expect, test } from 'vitest'
import { make } from './solver_mode.js'

// looking for a GPU takes seconds
test('a written solver_mode: GPU asks for a GPU, and says so where there is none', async () => {
  const { engine, notices } = await make({ solver_mode: 'GPU' })
  if (engine === 'wasm') expect(notices).toHaveLength(1)
  else expect(engine).toMatch(/^gpu:/)
})

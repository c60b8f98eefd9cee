import { describe, test } from 'vitest'
import { createEngine } from '../../../lib/engines/index.js'
import { EngineError } from '../../../lib/errors.js'
import { checkConvolutions, checkNets, flat, large, small } from './prepared_weights.js'

const missing = await createEngine('native', { threads: 1 }).then(
  () => '',
  (error: unknown) => {
    if (!(error instanceof EngineError)) throw error
    return error.message
  },
)

checkConvolutions('wasm', [...flat, ...large])
checkNets('wasm')
if (missing) describe('native', () => test.skip(missing, () => {}))
else {
  checkConvolutions('native', large, [...small, ...flat])
  checkNets('native')
}

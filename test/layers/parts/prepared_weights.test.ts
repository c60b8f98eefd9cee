import { checkConvolutions, small } from './prepared_weights.js'

// nets that use them: prepared_weights.long.test.ts
checkConvolutions('wasm', small)

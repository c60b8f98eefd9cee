import { checkKernels } from './wasm.js'

checkKernels(({ hostOnly }) => hostOnly === 'huge')

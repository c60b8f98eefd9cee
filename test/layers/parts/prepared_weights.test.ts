import { checkConvolutions, checkNets, small } from './prepared_weights.js'

checkConvolutions('wasm', small)
checkNets('wasm')

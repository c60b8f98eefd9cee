import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { overRoot, squares } from './adagrad.js'
import { stepped } from './sgd.js'
import { numbersOf } from './update.js'

export const rmsprop = (gpu: Gpu): Partial<Kernels> => ({
  rmspropUpdate(n, rule, decay, delta, w, dw, h) {
    gpu.map(squares, n, [w, dw, h, ...numbersOf(rule), decay, 1 - decay], h)
    gpu.map(overRoot, n, [w, dw, h, ...numbersOf(rule), rule.rate, delta], dw)
    gpu.map(stepped, n, [w, dw], w)
  },
})

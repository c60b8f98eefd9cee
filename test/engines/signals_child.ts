/** Products by dnnl_sgemm; the binding is the argument, as JSON. */
import { createRequire } from 'node:module'
import { type BlasBinding, bindSgemm } from '../../lib/engines/native/bind.js'

const binding = JSON.parse(process.argv[2]) as BlasBinding
const [M, N, K] = [64, 256, 256]
const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true })
const values = new Float32Array(memory.buffer).fill(0.5)
const sgemm = bindSgemm(createRequire(binding.koffi), binding, memory)
const [b, c] = [4 * M * K, 4 * (M * K + K * N)]
for (let i = 0; i < 2000; i++) sgemm(0, 0, M, N, K, 1, 0, K, b, N, 0, c, N)
console.log(values[c / 4])

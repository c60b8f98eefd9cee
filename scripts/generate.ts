/**
 * Everything under lib/generated: the message schemas, where layers are, the WebAssembly modules, gpu.js, sucrase, and the source text of the
 * workers. What has not changed stays as it is.
 */
import { gpuJs } from './generate-gpujs.js'
import { layers } from './generate-layers.js'
import { schemas } from './generate-schema.js'
import { sucrase } from './generate-sucrase.js'
import { wasm } from './generate-wasm.js'
import { workers } from './generate-workers.js'
import { generate } from './generated.js'

const modules = wasm.map(generate)
// the workers are bundled with these inside, so they come first
await Promise.all([...schemas, ...layers].map(generate))
await Promise.all([...modules, ...[...workers, gpuJs, sucrase].map(generate)])

/** Everything under lib/generated: the message schema, the WebAssembly modules, and the source text of the workers. */
import { mkdir } from 'node:fs/promises'
import { generateGpuJs } from './generate-gpujs.js'
import { generateSchema } from './generate-schema.js'
import { generateWasm } from './generate-wasm.js'
import { generateWorkers } from './generate-workers.js'

await mkdir(new URL('../lib/generated/', import.meta.url), { recursive: true })
// the workers are bundled with the schema inside, so it comes first
await generateSchema()
await Promise.all([generateWasm(), generateWorkers(), generateGpuJs()])

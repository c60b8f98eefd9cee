/**
 * Everything under lib/generated: the message schema, the WebAssembly modules, gpu.js, and the source text of the
 * workers. What has not changed stays as it is.
 */
import { gpuJs } from './generate-gpujs.js'
import { schema } from './generate-schema.js'
import { wasm } from './generate-wasm.js'
import { workers } from './generate-workers.js'
import { generate } from './generated.js'

const modules = wasm.map(generate)
// the workers are bundled with the schema inside, so it comes first
await generate(schema)
await Promise.all([...modules, ...[...workers, gpuJs].map(generate)])

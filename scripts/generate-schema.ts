import type protobuf from 'protobufjs'
import type { Generated } from './generated.js'
import { layerTypes, nameSources } from './schema_names.js'

const scripts = [
  'lib/proto/fields.ts',
  'scripts/generate-schema.ts',
  'scripts/layer_list.ts',
  'scripts/proto_root.ts',
  'scripts/schema_names.ts',
  'scripts/schema_text.ts',
]
const packages = ['protobufjs', 'typescript']

/** The message types, and the schemas that the readers and writers follow: Caffe's with its forks', and ONNX's. */
export const schemas: readonly Generated[] = [
  {
    name: 'caffe',
    from: 'proto/caffe.proto and proto/forks.proto by scripts/generate-schema.ts',
    sources: ['proto/caffe.proto', 'proto/forks.proto', ...scripts, ...nameSources],
    packages,
    options: layerTypes,
    make: () => make('caffe', true),
  },
  {
    name: 'onnx',
    from: 'proto/onnx.proto by scripts/generate-schema.ts',
    sources: ['proto/onnx.proto', ...scripts],
    packages,
    make: () => make('onnx', false),
  },
]

/** What reads a schema is loaded where one has changed. */
async function make(name: 'caffe' | 'onnx', isCaffe: boolean): Promise<string> {
  const [{ protoRoot }, { schemaText }] = await Promise.all([import('./proto_root.js'), import('./schema_text.js')])
  return schemaText((await protoRoot(name)).lookup(name) as protobuf.Namespace, isCaffe)
}

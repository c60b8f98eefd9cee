/** The files of proto/: caffe.proto, with what forks.proto adds to its messages and enums, and onnx.proto. */
import { readFile } from 'node:fs/promises'
import protobuf from 'protobufjs'

/** Fields of prototxts alone get numbers that no file has, from the largest down. */
const LAST_NUMBER = 2 ** 29 - 1

/** Whether forks.proto adds the field to a message of caffe.proto. */
export const isAdded = (field: protobuf.Field): boolean => field.options?.['(added)'] === true

/** Whether a field is of prototxts alone. */
export const isOfText = (field: protobuf.Field): boolean => field.options?.['(text)'] === true

/** Whether a message is a layer, which has the options of all types as fields. */
export const isOfLayer = ({ name }: protobuf.Type): boolean => name === 'LayerParameter' || name === 'V1LayerParameter'

export async function protoRoot(name: 'caffe' | 'onnx' = 'caffe'): Promise<protobuf.Root> {
  if (name === 'onnx') {
    const { root } = await parse(name)
    root.resolveAll()
    return root
  }
  const [caffe, forks] = await Promise.all(['caffe', 'forks'].map(parse))
  const scope = packageOf(caffe)
  merge(scope, packageOf(forks))
  caffe.root.resolveAll()
  return caffe.root
}

async function parse(name: string): Promise<protobuf.IParserResult> {
  const text = await readFile(new URL(`../proto/${name}.proto`, import.meta.url), 'utf8')
  // several fields of prototxts alone may have one number
  let last = LAST_NUMBER
  const numbered = text.replace(/= \d+( \[.*\(text\) = true\])/g, (_, options) => `= ${last--}${options}`)
  return protobuf.parse(numbered, { keepCase: true, alternateCommentMode: true, preferTrailingComment: true })
}

const packageOf = ({ root, package: name }: protobuf.IParserResult): protobuf.Namespace =>
  root.lookup(name ?? '') as protobuf.Namespace

function merge(into: protobuf.NamespaceBase, from: protobuf.NamespaceBase): void {
  for (const item of [...from.nestedArray]) {
    const there = into.get(item.name)
    if (!there) {
      from.remove(item)
      into.add(item)
    } else if (there instanceof protobuf.Enum && item instanceof protobuf.Enum)
      for (const [name, number] of Object.entries(item.values))
        there.add(name, number, item.comments[name] ?? undefined)
    else if (there instanceof protobuf.Type && item instanceof protobuf.Type) {
      for (const field of [...item.fieldsArray]) {
        item.remove(field)
        field.setOption('(added)', true)
        there.add(field)
      }
      merge(there, item)
    } else throw new Error(`${item.fullName} is a message in one file and an enum in the other`)
  }
}

import {
  type Completion,
  type CompletionContext,
  type CompletionResult,
  snippetCompletion,
} from '@codemirror/autocomplete'
import { texts } from '../../texts.js'
import { fieldBefore, messagesAt, topsBefore } from './place.js'
import { fieldDoc, layerDoc, layerTypes } from './words.js'

/** Layers with their usual fields, to be filled in. */
const SNIPPETS: readonly Completion[] = [
  [
    'convolution',
    'layer {\n  name: "${conv1}"\n  type: "Convolution"\n  bottom: "${data}"\n  top: "${conv1}"\n  convolution_param {\n    num_output: ${20}\n    kernel_size: ${5}\n    stride: ${1}\n    weight_filler { type: "xavier" }\n  }\n}',
  ],
  [
    'pooling',
    'layer {\n  name: "${pool1}"\n  type: "Pooling"\n  bottom: "${conv1}"\n  top: "${pool1}"\n  pooling_param {\n    pool: MAX\n    kernel_size: ${2}\n    stride: ${2}\n  }\n}',
  ],
  [
    'inner product',
    'layer {\n  name: "${ip1}"\n  type: "InnerProduct"\n  bottom: "${pool1}"\n  top: "${ip1}"\n  inner_product_param {\n    num_output: ${10}\n    weight_filler { type: "xavier" }\n  }\n}',
  ],
  ['relu', 'layer {\n  name: "${relu1}"\n  type: "ReLU"\n  bottom: "${ip1}"\n  top: "${ip1}"\n}'],
  [
    'dropout',
    'layer {\n  name: "${drop1}"\n  type: "Dropout"\n  bottom: "${ip1}"\n  top: "${ip1}"\n  dropout_param { dropout_ratio: ${0.5} }\n}',
  ],
  [
    'own layer',
    'layer {\n  name: "${blank}"\n  type: "Python"\n  bottom: "${scaled}"\n  top: "${blanked}"\n  python_param {\n    module: "${blank_square}"\n    layer: "${BlankSquareLayer}"\n  }\n}',
  ],
].map(([label, template]) =>
  snippetCompletion(template, { label: `layer: ${label}`, type: 'text', detail: texts.editor.snippet }),
)

/** What may stand at the cursor: a field, a value of an enum, a type, a blob from above. */
export async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const word = context.matchBefore(/[\w.\-/]*/)!
  const text = context.state.doc.toString()
  const { from, text: line } = context.state.doc.lineAt(context.pos)
  const value = fieldBefore(line.slice(0, context.pos - from))
  const open = messagesAt(text, word.from)
  const message = open.at(-1)
  if (value) {
    const options = values(value, message?.name ?? '', message?.byName.get(value.field), text, word.from)
    return options.length ? { from: word.from, options, validFor: /^[\w.\-/]*$/ } : null
  }
  if (!message || (word.from === word.to && !context.explicit)) return null
  const options: Completion[] = message.fields
    // what the old formats wrote is read, and offered to nobody
    .filter(field => field.number !== 0 && !(message.name === 'NetParameter' && field.name === 'layers'))
    .map(field => ({
      label: field.name,
      type: field.message ? 'namespace' : 'property',
      detail: field.message ? '{ }' : field.typeName,
      apply: field.message ? `${field.name} {}` : `${field.name}: `,
      info: () => fieldDoc(message.name, field.name),
    }))
    .map(option => ({ ...option, info: async () => paragraph(await option.info()) }))
  return {
    from: word.from,
    options: message.name === 'NetParameter' ? [...SNIPPETS, ...options] : options,
    validFor: /^\w*$/,
  }
}

function values(
  { field, quoted }: { field: string; quoted: boolean },
  message: string,
  info: { readonly type: string; readonly enum?: { readonly names: readonly string[] } } | undefined,
  text: string,
  at: number,
): Completion[] {
  const quote = (label: string): string => (quoted ? label : `"${label}"`)
  if (message === 'LayerParameter' && field === 'type')
    return layerTypes.map(type => ({
      label: type,
      type: 'class',
      apply: quote(type),
      info: async () => paragraph(await layerDoc(type)),
    }))
  if (field === 'bottom') return topsBefore(text, at).map(top => ({ label: top, type: 'variable', apply: quote(top) }))
  if (info?.enum) return info.enum.names.map(label => ({ label, type: 'constant' }))
  return info?.type === 'bool' ? ['true', 'false'].map(label => ({ label, type: 'constant' })) : []
}

function paragraph(text: string | undefined): HTMLElement | null {
  if (!text) return null
  const made = document.createElement('p')
  made.textContent = text
  return made
}

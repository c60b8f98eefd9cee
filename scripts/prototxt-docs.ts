/**
 * docs/prototxt.md, every message and field of prototxts with what it does, from the comments of proto/caffe.proto and
 * proto/forks.proto; and the links of docs/reference.md to the pages of layers: npx tsx scripts/prototxt-docs.ts
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'
import { isAdded, isOfLayer, protoRoot } from './proto_root.js'

const docs = new URL('../docs/', import.meta.url)

/** What authors look for first; what only files and old formats have comes in no table. */
const FIRST = ['NetParameter', 'LayerParameter', 'SolverParameter', 'ParamSpec', 'FillerParameter', 'NetStateRule']
const ROOTS = ['NetParameter', 'SolverParameter']
const LEFT_OUT = new Set(['V1LayerParameter', 'V0LayerParameter', 'BlobProto', 'BlobProtoVector', 'Datum', 'BlobShape'])

const cell = (text: string): string => text.replaceAll('\n', ' ').replaceAll('|', '\\|').trim()

/** With a capital letter where a word begins it, and a full stop. */
function sentence(comment: string | null | undefined): string {
  const text = cell(comment ?? '')
  if (!text) return ''
  const started = /^[a-z]+[ ,:]/.test(text) ? text[0].toUpperCase() + text.slice(1) : text
  return /[.!?]$/.test(started) ? started : `${started}.`
}

const anchorOf = (name: string): string => name.toLowerCase()

function typeOf(field: protobuf.Field, shown: ReadonlySet<protobuf.Type>): string {
  const { resolvedType: resolved } = field
  if (resolved instanceof protobuf.Enum) return Object.keys(resolved.values).join(', ')
  if (!(resolved instanceof protobuf.Type)) return field.type
  return shown.has(resolved) ? `[${resolved.name}](#${anchorOf(resolved.name)})` : resolved.name
}

function rowOf(field: protobuf.Field, owner: protobuf.Type, shown: ReadonlySet<protobuf.Type>): string {
  const { resolvedType: resolved } = field
  const value = field.options?.['default'] as string | number | boolean | undefined
  const own = field.comment ?? (isOfLayer(owner) && resolved instanceof protobuf.Type ? resolved.comment : null)
  const values =
    resolved instanceof protobuf.Enum
      ? Object.entries(resolved.comments).flatMap(([name, comment]) => (comment ? [`${name}: ${cell(comment)}`] : []))
      : []
  const meaning = [sentence(own), values.length ? `${values.join('; ')}.` : ''].filter(Boolean).join(' ')
  return `| \`${field.name}\`${field.repeated ? ' …' : ''}${isAdded(field) ? ' ⑂' : ''} | ${typeOf(field, shown)} | ${value === undefined ? '' : `\`${value}\``} | ${meaning} |`
}

/** Messages that prototxts can have, from those of nets and solvers on. */
function reachable(scope: protobuf.Namespace): protobuf.Type[] {
  const seen = new Set<protobuf.Type>()
  const visit = (type: protobuf.Type): void => {
    if (seen.has(type) || LEFT_OUT.has(type.name)) return
    seen.add(type)
    for (const { resolvedType } of type.fieldsArray) if (resolvedType instanceof protobuf.Type) visit(resolvedType)
  }
  for (const name of ROOTS) visit(scope.lookupType(name))
  const rank = ({ name }: protobuf.Type) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length)
  return [...seen].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
}

/** `convolution_param` is described in docs/layers/convolution.md. */
function pageOf(name: string, pages: readonly string[]): string | undefined {
  const base = name
    .replace(/Parameter$/, '')
    .replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_')
    .toLowerCase()
  return pages.find(page => page.replaceAll('_', '') === `${base.replaceAll('_', '')}.md`)
}

/** The whole page. */
export async function render(): Promise<string> {
  const scope = (await protoRoot()).lookup('caffe') as protobuf.Namespace
  const pages = await readdir(new URL('layers/', docs))
  const types = reachable(scope)
  const shown = new Set(types)
  const sections = types.map(type => {
    const page = pageOf(type.name, pages)
    const rows = [...type.fieldsArray].map(field => rowOf(field, type, shown))
    return [
      `## ${type.name}`,
      '',
      `${sentence(type.comment)}${page ? ` More: [layers/${page}](layers/${page}).` : ''}`,
      '',
      '| field | type | default | |',
      '|---|---|---|---|',
      ...rows,
      '',
    ].join('\n')
  })
  return `# What stands in a prototxt

Every message of nets and solvers with its fields, from the schema that the library reads by: editors show the same. A file is text in the form
\`field: value\` and \`message { … }\`; … behind a name: it may be given several times. ⑂: Caffe 1.0 has no such field, one of its forks does (or this library
alone). Old forms (\`layers { … }\`) are read as well, and become these: \`ristretto upgrade-net\` prints them so.

This page is made by \`npx tsx scripts/prototxt-docs.ts\`.

${types.map(({ name }) => `[${name}](#${anchorOf(name)})`).join(' · ')}

${sections.join('\n').trimEnd()}
`
}

/** docs/reference.md with a link to every page of docs/layers, by its title. */
export async function withLayerLinks(): Promise<string> {
  const pages = (await readdir(new URL('layers/', docs))).map(async page => {
    const [, title] = /^# (.*)$/m.exec(await readFile(new URL(`layers/${page}`, docs), 'utf8'))!
    return { title, link: `[${title}](layers/${page})` }
  })
  const links = (await Promise.all(pages)).sort((a, b) => a.title.localeCompare(b.title, 'en')).map(({ link }) => link)
  const lines = ['']
  for (const [i, link] of links.entries()) {
    const last = lines.length - 1
    const text = i < links.length - 1 ? `${link} ·` : link
    if (lines[last].length + text.length < WIDTH) lines[last] += lines[last] ? ` ${text}` : text
    else lines.push(text)
  }
  const text = await readFile(new URL('reference.md', docs), 'utf8')
  return text.replace(/(?<=\n\n)\[[^\n]*\]\(layers\/[\s\S]*?(?=\n\n## )/, lines.join('\n'))
}

const WIDTH = 160

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL('prototxt.md', docs), await render())
  await writeFile(new URL('reference.md', docs), await withLayerLinks())
}

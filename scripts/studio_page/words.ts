/**
 * What the editor of nets knows about layers and fields, as two small modules: types and a sentence each from
 * docs/layers, fields from the comments of the schema.
 */
import { readdir, readFile } from 'node:fs/promises'
import type { Plugin } from 'esbuild'
import protobuf from 'protobufjs'
import { protoRoot } from '../proto_root.js'

const docs = new URL('../../docs/layers/', import.meta.url)

/** The first sentence of a page's first paragraph, without its markup. */
export function firstSentence(page: string): string {
  const paragraphs = page.split(/\n\s*\n/).map(text => text.replaceAll('\n', ' ').trim())
  const first = paragraphs.find(text => text && !/^[#`|<!-]/.test(text)) ?? ''
  const plain = first.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*_]{1,2}(\S[^`*]*?)[`*_]{1,2}/g, '$1')
  return /^.*?[.:;](?=\s|$)/.exec(plain)?.[0].replace(/[:;]$/, '.') ?? plain
}

async function layers(): Promise<Record<string, string>> {
  const found: [string, string][] = []
  for (const file of (await readdir(docs)).sort()) {
    if (!file.endsWith('.md')) continue
    const page = await readFile(new URL(file, docs), 'utf8')
    const sentence = firstSentence(page)
    for (const [, type] of page.matchAll(/`type: "(\w+)"`/g)) found.push([type, sentence])
  }
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function fields(): Promise<Record<string, Record<string, string>>> {
  const { nestedArray } = (await protoRoot()).lookup('caffe') as protobuf.Namespace
  const messages = nestedArray.filter(item => item instanceof protobuf.Type)
  return Object.fromEntries(
    messages.map(message => [
      message.name,
      Object.fromEntries(
        message.fieldsArray.flatMap(field =>
          field.comment ? [[field.name, field.comment.replaceAll('\n', ' ')]] : [],
        ),
      ),
    ]),
  )
}

/** The modules `studio:words`, which an editor begins with, and `studio:docs`, which it fetches when somebody asks. */
export const words: Plugin = {
  name: 'words',
  setup(build) {
    build.onResolve({ filter: /^studio:(words|docs)$/ }, ({ path }) => ({ path, namespace: 'words' }))
    build.onLoad({ filter: /.*/, namespace: 'words' }, async ({ path }) => {
      if (path === 'studio:docs') return { contents: module({ fields: await fields(), layers: await layers() }) }
      const { layerTypes } = await import('../../lib/registry.js')
      return { contents: module({ types: layerTypes() }) }
    })
  },
}

const module = (values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values)
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)}\n`)
    .join('')

/** docs/studio-api.md, made from the table of routes: `npx tsx scripts/studio_api.ts`. */
import { readFile, writeFile } from 'node:fs/promises'
import { resizeModes } from '../lib/data/picture_fit.js'
import { jsonSchema } from '../lib/studio/api/openapi.js'
import { type Route, routes } from '../lib/studio/api/routes.js'

const file = new URL('../docs/studio-api.md', import.meta.url)
const BEGIN = '<!-- routes: made by scripts/studio_api.ts -->'
const END = '<!-- end of routes -->'
const FORMS = '<!-- forms: made by scripts/studio_api.ts -->'
const END_FORMS = '<!-- end of forms -->'

function rowOf({ method, path, query, body, answer, name, summary, as, limit }: Route): string {
  const names = query ? Object.keys((jsonSchema(query)['properties'] ?? {}) as object) : []
  const address = `${path}${names.length ? `?${names.join('&')}` : ''}`
  const kind = as === 'png' ? 'PNG' : as === 'frame' ? `${answer}, with bytes` : answer
  const fields = body ? Object.keys((jsonSchema(body)['properties'] ?? {}) as object) : []
  const sent = body ? `{ ${fields.join(', ')} }${limit ? `, ${limit / 2 ** 20} MiB` : ''}` : ''
  const cell = (text: string) => text.replaceAll('|', '\\|')
  return `| \`${method}\` \`${cell(address)}\` | \`${name}\` | ${cell(summary)} | ${sent ? `\`${cell(sent)}\`` : ''} | ${kind ? `\`${cell(kind)}\`` : '204'} |`
}

/** The types of the forms, with what their comments say of defaults. */
async function formsText(): Promise<string> {
  const source = await readFile(new URL('../lib/studio/api/forms.ts', import.meta.url), 'utf8')
  const resize = resizeModes.map(mode => `'${mode}'`).join(' | ')
  const types = source
    .slice(source.indexOf('/** Where pictures come from. */'))
    .replaceAll('readonly ', '')
    .replaceAll('export ', '')
    .replace('ResizeMode', resize)
    .replaceAll('JobId', 'string')
    .replaceAll('SetName', "'train' | 'val' | 'test'")
  return `\`\`\`ts\n${types.trim()}\n\`\`\``
}

/** A page's text with something new between two marks. */
const between = (text: string, begin: string, end: string, inner: string): string =>
  `${text.slice(0, text.indexOf(begin))}${begin}\n\n${inner}\n\n${text.slice(text.indexOf(end))}`

/** The page with its table and its forms as they are now. */
export async function studioApi(): Promise<string> {
  const text = await readFile(file, 'utf8')
  const table = [
    '| route | method of `Studio` | what it does | body | answer |',
    '|---|---|---|---|---|',
    ...routes.map(rowOf),
  ]
  return between(between(text, BEGIN, END, table.join('\n')), FORMS, END_FORMS, await formsText())
}

if (process.argv[1]?.endsWith('studio_api.ts')) await writeFile(file, await studioApi())

/** docs/studio-api.md, made from the table of routes: `npx tsx scripts/studio_api.ts`. */
import { readFile, writeFile } from 'node:fs/promises'
import { jsonSchema } from '../lib/studio/api/openapi.js'
import { type Route, routes } from '../lib/studio/api/routes.js'

const file = new URL('../docs/studio-api.md', import.meta.url)
const BEGIN = '<!-- routes: made by scripts/studio_api.ts -->'
const END = '<!-- end of routes -->'

function rowOf({ method, path, query, body, answer, name, summary, as, limit }: Route): string {
  const names = query ? Object.keys((jsonSchema(query)['properties'] ?? {}) as object) : []
  const address = `${path}${names.length ? `?${names.join('&')}` : ''}`
  const kind = as === 'png' ? 'PNG' : as === 'frame' ? `${answer}, with bytes` : answer
  const fields = body ? Object.keys((jsonSchema(body)['properties'] ?? {}) as object) : []
  const sent = body ? `{ ${fields.join(', ')} }${limit ? `, ${limit / 2 ** 20} MiB` : ''}` : ''
  const cell = (text: string) => text.replaceAll('|', '\\|')
  return `| \`${method}\` \`${cell(address)}\` | \`${name}\` | ${cell(summary)} | ${sent ? `\`${cell(sent)}\`` : ''} | ${kind ? `\`${cell(kind)}\`` : '204'} |`
}

/** The page with its table as the routes are now. */
export async function studioApi(): Promise<string> {
  const text = await readFile(file, 'utf8')
  const [before, rest] = [text.slice(0, text.indexOf(BEGIN)), text.slice(text.indexOf(END))]
  const table = [
    '| route | method of `Studio` | what it does | body | answer |',
    '|---|---|---|---|---|',
    ...routes.map(rowOf),
  ]
  return `${before}${BEGIN}\n\n${table.join('\n')}\n\n${rest}`
}

if (process.argv[1]?.endsWith('studio_api.ts')) await writeFile(file, await studioApi())

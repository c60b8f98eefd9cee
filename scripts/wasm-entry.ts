/**
 * What the module of kernels/wasm exports: what lib/engines/wasm says that it does. Each name is declared there once, in
 * an interface of exports or in a list of kernels that are called as they are, and is a function of one file here.
 */
import { readdirSync, readFileSync } from 'node:fs'

const root = new URL('../', import.meta.url)
const textsIn = (folder: string): Map<string, string> => {
  const files = readdirSync(new URL(folder, root)).filter(name => name.endsWith('.ts'))
  return new Map(files.sort().map(name => [name, readFileSync(new URL(folder + name, root), 'utf8')]))
}

/** The text of the entry, in place of a file that would name every kernel a second time. */
export function wasmEntry(): string {
  const bindings = [...textsIn('lib/engines/wasm/').values(), ...textsIn('lib/engines/wasm/bind/').values()].join('\n')
  const interfaces = [...bindings.matchAll(/^export interface \w*Exports\b.*\{\n([\s\S]*?)^\}/gm)].map(
    match => match[1],
  )
  const lists = [...bindings.matchAll(/^const direct = \[([\s\S]*?)\]/gm)].map(match => match[1])
  const names = new Set([
    ...interfaces.flatMap(body => [...body.matchAll(/^ {2}(\w+)\(/gm)].map(match => match[1])),
    ...lists.flatMap(list => [...list.matchAll(/'(\w+)'/g)].map(match => match[1])),
  ])
  const left = new Set(names)
  const lines = [...textsIn('kernels/wasm/')].map(([file, text]) => {
    const own = [...text.matchAll(/^export function (\w+)\b/gm)].map(match => match[1]).filter(name => names.has(name))
    for (const name of own) if (!left.delete(name)) throw new Error(`${name} is exported by two files of kernels/wasm`)
    return own.length ? `export { ${own.join(', ')} } from './${file.slice(0, -3)}'\n` : ''
  })
  if (left.size)
    throw new Error(`lib/engines/wasm declares ${[...left].join(', ')}: no file of kernels/wasm exports it`)
  return lines.join('')
}

import { type MessageInfo, schema } from '../../../../proto/schema.js'

/** Comments and strings are skipped; a message's beginning and end are told apart. */
const TOKEN = /#[^\n]*|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|([A-Za-z_]\w*)\s*:?\s*[{<]|[}>]/g

/** The messages that are open before `at`, the outermost first; unknown ones are undefined. */
export function messagesAt(text: string, at: number): readonly (MessageInfo | undefined)[] {
  const open: (MessageInfo | undefined)[] = [schema.message('NetParameter')]
  for (const token of text.slice(0, at).matchAll(TOKEN)) {
    if (token[0] === '}' || token[0] === '>') {
      if (open.length > 1) open.pop()
    } else if (token[1]) open.push(open.at(-1)?.byName.get(token[1])?.message)
  }
  return open
}

/** Names of tops in the text before `at`, the nearest first, each once. */
export function topsBefore(text: string, at: number): string[] {
  const tops = [...text.slice(0, at).matchAll(/\btop:\s*["']([^"'\n]+)["']/g)].map(match => match[1])
  return [...new Set(tops.reverse())]
}

/** What is written at the cursor: the field of a value that began, or nothing where a name is due. */
export function fieldBefore(line: string): { field: string; quoted: boolean } | undefined {
  const match = /([A-Za-z_]\w*)\s*:\s*(["']?)[^"'\s]*$/.exec(line)
  return match ? { field: match[1], quoted: match[2] !== '' } : undefined
}

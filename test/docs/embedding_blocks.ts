import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

/**
 * A code block of a page: what stands behind the ```, and the file that its first line names (`// service.ts`), if it
 * does.
 */
export interface CodeBlock {
  readonly language: string
  readonly file: string | undefined
  readonly code: string
}

/** The code blocks of docs/embedding.md, in order. */
export const blocks: readonly CodeBlock[] = [
  ...readFileSync(join(root, 'docs/embedding.md'), 'utf8').matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm),
].map(([, language, code]) => ({
  language,
  file: /^(?:\/\/|<!--) ([\w.]+)/.exec(code)?.[1],
  code,
}))

/** The text of the block for this file. */
export function block(file: string): string {
  const found = blocks.find(candidate => candidate.file === file)
  if (!found) throw new Error(`docs/embedding.md has no block for ${file}`)
  return found.code
}

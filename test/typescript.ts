/** What the TypeScript compiler says of programs that users write. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const modules = fileURLToPath(new URL('../node_modules/', import.meta.url))

/** TypeScript 6, whose compiler is a program in JavaScript, and 7, which takes a quarter of its time. */
export const compilers = { 6: join(modules, 'typescript/bin/tsc'), 7: join(modules, 'typescript7/bin/tsc') } as const

/** Findings in the files of `folder`, and those about the configuration itself: empty where there are none. */
export function findings(folder: string, configuration: object): string {
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration))
  // each of several checkers would look at the library's types for itself: one takes two thirds of their time
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [compilers[7], '--noEmit', '--checkers', '1', '--pretty', 'false'],
    { cwd: folder, encoding: 'utf8' },
  )
  // a finding's further lines are indented; those of the library's sources, under a page's options, are none of a user's
  const found = `${stdout}${stderr}`.split(/\n(?=\S)/)
  return found.filter(text => !/^(\.\.|\/)/.test(text)).join('\n')
}

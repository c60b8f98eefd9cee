import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { compilers } from '../typescript.js'
import { consumer, run, runModule, write } from './helpers.js'

const root = join(import.meta.dirname, '../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(match => match[1])
const [digit, training, library, layer, check] = blocks

describe('README.md', () => {
  it('has the five programs that are tried here', () => expect(blocks).toHaveLength(5))

  it('they type-check as they stand', () => {
    write('readme_digit.ts', digit)
    write('readme_training.ts', training)
    write('readme_library.ts', library)
    write('swish.ts', layer)
    write('readme_check.ts', check)
    write(
      'tsconfig.json',
      JSON.stringify({
        compilerOptions: {
          strict: true,
          noEmit: true,
          allowImportingTsExtensions: true,
          target: 'ES2022',
          module: 'NodeNext',
          types: [],
          lib: ['ES2022', 'DOM'],
        },
        files: ['readme_digit.ts', 'readme_training.ts', 'readme_library.ts', 'swish.ts', 'readme_check.ts'],
      }),
    )
    expect(run(process.execPath, [compilers[7], '-p', '.'])).toEqual({
      code: 0,
      out: '',
      err: '',
    })
  })

  it('they run', () => {
    copyFileSync(join(root, 'docs/examples/mnist/lenet.prototxt'), join(consumer, 'lenet.prototxt'))
    copyFileSync(join(root, 'test/golden/nets/lenet/lenet.caffemodel'), join(consumer, 'lenet.caffemodel'))
    const javascript = (code: string) => transformSync(code, { loader: 'ts' }).code
    const drawn = runModule('readme_digit.mjs', javascript(digit))
    expect(drawn).toMatchObject({ code: 0, err: '', out: 'It is a 3, with probability 1.00.\n' })
    const points = runModule('readme_training.mjs', javascript(training))
    expect({ code: points.code, err: points.err }).toEqual({ code: 0, err: '' })
    expect(Number(points.out)).toBeLessThan(0.05)
    const first = runModule('readme_library.mjs', javascript(library))
    expect({ code: first.code, err: first.err }).toEqual({ code: 0, err: '' })
    expect(first.out).toMatch(/^\[ 8, 10 \] 0\.\d+\n$/)
    write('swish.mjs', javascript(layer))
    const checked = javascript(check).replace('./swish.ts', './swish.mjs')
    const second = runModule('readme_check.mjs', `${checked}\nconsole.log('right')`)
    expect({ code: second.code, err: second.err }).toEqual({ code: 0, err: '' })
    const [, promised] = /\/\/ …, (.*)/.exec(check)!
    expect(second.out).toContain(`${promised}\n`)
    expect(second.out).toMatch(/\nright\n$/)
  })

  it('names every command that there is', () => {
    const { out } = run('npx', ['ristretto', '--help'])
    const commands = [
      ...out
        .split('Commands:')[1]
        .split('Example:')[0]
        .matchAll(/^ {2}([a-z-]+) /gm),
    ]
      .map(match => match[1])
      .filter(name => name !== 'help')
    const [, listed] = /\| Command line \| (.*) \|/.exec(readme)!
    expect(listed.replaceAll('`', '').split(', ')).toEqual(commands)
  })

  it('its links lead somewhere', () => {
    const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(match => match[1])
    expect(links.length).toBeGreaterThan(4)
    // LICENSE, folders and pages of this repository
    for (const link of links) expect(run('test', ['-e', join(root, link)]).code, link).toBe(0)
  })
})

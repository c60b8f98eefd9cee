/**
 * docs/tutorials/your-own-pictures.md, its commands one after the other, as a reader types them, and what they print. What
 * comes from the registry is here already; the page's script runs on a canvas that is none.
 */
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { loadImage } from '../../lib/pycaffe/index.js'
import { cli } from '../cli/helpers.js'
import { expectSameText, readBlocks, root } from './blocks.js'

const place = join(root, '.cache/your-own-pictures')
const home = process.cwd()
const [argv, port] = [process.argv, process.env.PORT]
const ours = (path: string) => path.replace('node_modules/ristretto/', root)
/** Where the service listens. */
let service = ''

beforeAll(() => {
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true })
  process.chdir(place)
  process.env.PORT = '0'
})
afterAll(() => {
  process.emit('SIGTERM') // on which the service closes
  process.chdir(home)
  process.argv = argv
  if (port === undefined) delete process.env.PORT
  else process.env.PORT = port
  vi.unstubAllGlobals()
  rmSync(place, { recursive: true, force: true })
})

/** A program in this process, until it has printed a line. */
async function program(path: string, args: readonly string[]): Promise<string> {
  const file = ours(path.startsWith('node_modules/') ? path : join(place, path))
  process.argv = [argv[0], file, ...args]
  const log = vi.spyOn(console, 'log')
  try {
    const printed = new Promise<string>(resolve => log.mockImplementation(line => resolve(String(line))))
    await import(pathToFileURL(file).href)
    return await printed
  } finally {
    log.mockRestore()
  }
}

const commands: Record<string, (args: string[]) => Promise<string>> = {
  'npx ristretto': async args => {
    const { code, out, err } = await cli(...args)
    expect(code, err).toBe(0)
    return out
  },
  'npx tsx': async ([path, ...args]) => {
    const line = await program(path, args)
    service = /http:\S+(?=\/classify)/.exec(line)?.[0] ?? service
    return service ? line.replace(/:\d+\//, ':8080/') : line
  },
  'npx esbuild': async args => {
    expect(args.slice(1)).toEqual(['--bundle', '--format=esm', '--minify', '--outfile=page.js'])
    const alias = { ristretto: join(root, 'lib/index.ts') }
    await build({
      entryPoints: [args[0]],
      bundle: true,
      format: 'esm',
      minify: true,
      outfile: 'page.js',
      alias,
      absWorkingDir: place,
    })
    return ''
  },
  'cp node_modules/ristretto/docs/examples/your-own-pictures/*': async () => {
    cpSync(join(root, 'docs/examples/your-own-pictures'), place, { recursive: true })
    return ''
  },
  'curl --data-binary': async ([file]) => {
    const answer = await fetch(`${service}/classify`, { method: 'POST', body: readFileSync(file.slice(1)) })
    expect(answer.status).toBe(200)
    return (await answer.text()).replaceAll(/\d\.[\de-]+/g, value => Number(value).toFixed(4))
  },
}

describe('docs/tutorials/your-own-pictures.md', () => {
  const blocks = readBlocks('docs/tutorials/your-own-pictures.md').filter(({ language }) => language === 'sh')

  test.each(blocks.map(block => [block.code, block] as const))('%s', async (code, { output }) => {
    const printed: string[] = []
    for (const line of code.split('\n').filter(line => !line.startsWith('npm '))) {
      const command = Object.keys(commands).find(command => line.startsWith(`${command} `))
      if (!command) expect.fail(`nobody runs ${line}`)
      printed.push((await commands[command](line.slice(command.length + 1).split(/\s+/))).trimEnd())
    }
    if (output) expectSameText(printed.join('\n'), output.text, output.rtol, code)
  })

  test('what is no picture gets 400 and no word of why; the log has it', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    const answer = await fetch(`${service}/classify`, { method: 'POST', body: 'hello' })
    expect(answer.status).toBe(400)
    expect(await answer.text()).toBe('this is no picture, or it cannot be served now\n')
    expect(String(error.mock.calls[0][0])).toContain('no PNG, JPEG or other known image')
    error.mockRestore()
    expect((await fetch(`${service}/data/labels.txt`)).status).toBe(404)
    expect(await (await fetch(service)).text()).toContain('/page.js')
    expect(await (await fetch(`${service}/page.js`)).text()).toContain('getImageData')
  })

  test('the page classifies what is on its canvas', async () => {
    const { data, shape } = await loadImage('photos/squares/3.png')
    const [height, width] = shape
    const rgba = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) =>
      i % 4 === 3 ? 255 : 255 * data[3 * (i >> 2) + (i % 4)],
    )
    const canvas = {
      width,
      height,
      getContext: () => ({ fillRect: () => {}, getImageData: () => ({ width, height, data: rgba }) }),
      onpointerup: async () => {},
    }
    const output = { textContent: '' }
    const { fetch } = globalThis
    const button = { onclick: () => {} }
    vi.stubGlobal('document', {
      querySelector: (name: string) => ({ canvas, output, button })[name],
    })
    vi.stubGlobal('fetch', (path: string) => fetch(`${service}${path}`))
    await import(pathToFileURL(join(place, 'page.ts')).href)
    expect(output.textContent).toBe('Draw one of: circles, crosses, squares, triangles')
    await canvas.onpointerup()
    expect(output.textContent).toMatch(/^squares, \d+ %\n\w+, \d+ %\n\w+, \d+ %$/)
    button.onclick()
    expect(output.textContent).toBe('Draw one of: circles, crosses, squares, triangles')
  })
})

describe('README.md, "Your own pictures"', () => {
  const [, block] = /## Your own pictures[\s\S]*?```sh\n([\s\S]*?)```/.exec(
    readFileSync(join(root, 'README.md'), 'utf8'),
  )!

  test.each(block.trim().split('\n'))('%s', async line => {
    const [npx, program, command, ...args] = line.split(' ')
    expect([npx, program]).toEqual(['npx', 'ristretto'])
    const { code, out } = await cli(command, '--help')
    expect(code).toBe(0)
    for (const flag of args.filter(arg => arg.startsWith('--'))) expect(out).toContain(`${flag} <`)
    // the tutorial has run the same
    const page = readFileSync(join(root, 'docs/tutorials/your-own-pictures.md'), 'utf8')
    expect(page).toContain(`\nnpx ristretto ${command} `)
  })
})

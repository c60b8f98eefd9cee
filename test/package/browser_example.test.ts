import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { consumer } from './helpers.js'

/** docs/examples/browser as a user has it: copied out of the installed package, with an `npm install` of its own. */
describe('the browser example of the package', () => {
  const shipped = join(consumer, 'node_modules/ristretto')
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ristretto-example-'))
    cpSync(join(shipped, 'docs/examples/browser'), folder, { recursive: true })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const run = (command: string, ...args: string[]) => {
    // vitest shows its own packages to every program it starts
    const { NODE_PATH: _, ...env } = process.env
    const options = { cwd: folder, env, encoding: 'utf8', timeout: 250_000 } as const
    const { status, stdout, stderr } = spawnSync(command, args, options)
    return { code: status, out: stdout, err: stderr }
  }

  it('asks for this version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(shipped, 'package.json'), 'utf8'))
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    expect(dependencies.ristretto).toBe(`^${version}`)
  })

  it('installs, type-checks and builds in a folder of its own, without a warning', { timeout: 300_000 }, () => {
    const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    // the tarball stands for the version that the example asks for
    expect(run('npm', ...install, inject('tarball'))).toMatchObject({ code: 0, err: '' })
    expect(run('npx', 'tsc', '-p', '.')).toEqual({ code: 0, out: '', err: '' })
    const { code, out, err } = run('npx', 'vite', 'build', '--logLevel', 'warn')
    expect({ code, said: `${out}${err}`.replace(/^.*PLUGIN_TIMINGS[\s\S]*$/m, '').trim() }).toEqual({
      code: 0,
      said: '',
    })
    const built = readdirSync(join(folder, 'dist'))
    expect(built).toEqual(expect.arrayContaining(['assets', 'index.html', 'train-images-idx3-ubyte']))
    expect(readdirSync(join(folder, 'dist/assets')).filter(name => /^(trainer|gpujs)-.*\.js$/.test(name))).toHaveLength(
      2,
    )
  })
})

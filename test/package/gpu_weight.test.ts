import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/engines.md'), 'utf8')
const { peerDependencies, peerDependenciesMeta } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  peerDependencies: Record<string, string>
  peerDependenciesMeta: Record<string, { optional?: boolean }>
}
/** The oldest version that the package takes, which is the one that the documentation has people install. */
const version = peerDependencies.webgpu.replace(/^>=/, '')

/** What the documentation says that step weighs, in MB. */
const documented = Number(page.match(/`npm install webgpu@[^`]+` \| ([\d.]+) MB/)?.[1])

/** Bytes of the unpacked package as the registry's metadata have them; or why it is not known. */
function unpacked(): number | string {
  const args = ['view', `webgpu@${version}`, 'dist', '--json', '--fetch-retries=0', '--fetch-timeout=20000']
  const { status, stdout } = spawnSync('npm', args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) return 'the registry does not answer'
  const { unpackedSize } = JSON.parse(stdout) as { unpackedSize?: number }
  return unpackedSize ?? `the registry does not say how large webgpu ${version} is`
}

describe('the step that adds WebGPU to Node', () => {
  it('is documented for the oldest version that the package takes, which nobody has to install', () => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    expect(peerDependenciesMeta.webgpu.optional).toBe(true)
    const named = [...page.matchAll(/npm install webgpu@([^\s`]+)/g)].map(([, which]) => which)
    expect(new Set(named)).toEqual(new Set([version]))
  })

  it('weighs what the documentation says, within 20 %', ({ skip }) => {
    expect(documented).toBeGreaterThan(0)
    const bytes = unpacked()
    if (typeof bytes === 'string') skip(bytes)
    else expect(Math.abs(bytes / 1e6 / documented - 1)).toBeLessThan(0.2)
  })
})

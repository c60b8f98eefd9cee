import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as late from '../../kernels/js/late.js'
import type { Kernels } from '../../lib/engine.js'
import type { LayerClass } from '../../lib/layer.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { Golden, type GoldenArray, goldenPath, recordedLayers } from '../golden.js'
import { isPending } from '../pending.js'

interface Case {
  name: string
  phase: 'TRAIN' | 'TEST'
  prototxt: string
  bottoms: (GoldenArray & { name: string; input?: string })[]
  params: GoldenArray[]
  backward: boolean
}

const types = recordedLayers().filter(
  file => !isPending(file, new Golden<{ layer_type: string }>(file).json.layer_type),
)
const read = async (path: string) => new Uint8Array(readFileSync(goldenPath(path)))

// a device runs a layer only if it has every kernel in `uses`: one that is missing from the list would be missing there
test.each(types)('%s names every kernel that it calls', { tags: 'long' }, async type => {
  const golden = new Golden<{ cases: Case[] }>(type)
  for (const c of golden.json.cases) {
    const net = await Net.create(parseNet(c.prototxt), { phase: c.phase, engine: 'js', seed: 1701, files: read })
    let running = ''
    const called = new Map<string, Set<string>>()
    const kernels = new Proxy(net.engine.kernels, {
      get(table, kernel: keyof Kernels) {
        called.set(running, (called.get(running) ?? new Set()).add(kernel))
        return table[kernel]
      },
    })
    Object.defineProperty(net.engine, 'kernels', { value: kernels, configurable: true })
    const note = (name: string) => {
      running = name
    }
    net.beforeForward(note)
    net.beforeBackward(note)
    for (const bottom of c.bottoms) net.blobs[bottom.input ?? bottom.name].dataArray.set(golden.array(bottom))
    await net.forward()
    if (c.backward) await net.backward()
    for (const layer of net.layers) {
      const { uses } = layer.constructor as unknown as LayerClass
      for (const kernel of called.get(layer.name) ?? []) expect(uses, `${layer.type}, ${c.name}`).toContain(kernel)
    }
    net.dispose()
  }
})

test('a kernel that comes late is named where it is called: in uses, or in what setup fetches', () => {
  const folder = join(import.meta.dirname, '../../lib/layers')
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  const files = [folder, join(folder, 'modules')].flatMap(from =>
    readdirSync(from)
      .filter(name => name.endsWith('.ts'))
      .map(name => join(from, name).slice(folder.length + 1)),
  )
  let calls = 0
  for (const file of files) {
    const own = read(file)
    const parts = [...own.matchAll(/from '\.{1,2}\/((?:parts\/)?\w+)\.js'/g)].flatMap(match =>
      existsSync(join(folder, `${match[1]}.ts`)) ? read(`${match[1]}.ts`) : [],
    )
    const text = [own, ...parts].join('\n')
    const taken = [...text.matchAll(/\{([\w, ]+)\} = (?:this|layer)\.kernels/g)].flatMap(match =>
      match[1].split(/,\s*/),
    )
    const called = [...text.matchAll(/kernels\.(\w+)/g)].map(match => match[1])
    for (const name of [...called, ...taken].map(name => name.trim()).filter(name => Object.hasOwn(late, name))) {
      calls++
      expect(text.includes(`'${name}'`), `${file}: ${name}`).toBe(true)
    }
  }
  expect(calls).toBeGreaterThan(50)
})

import type { Engine, Kernels } from '../../lib/engine.js'
import { createEngine } from '../../lib/engines/index.js'
import { jsKernels } from '../../lib/engines/plain_loops.js'
import { builtInLayers } from '../../lib/generated/layer_list.js'
import type { LayerClass } from '../../lib/layer.js'
import { classOfType, layerTypes } from '../../lib/registry.js'
import { nearestName } from '../../lib/system/names.js'
import { casesFor, compareCase } from '../../lib/testing/kernel_cases/run.js'
import { Golden, recordedLayers } from '../../test/golden.js'
import { type Case, runCase } from '../../test/layers/golden_case.js'
import { isPending } from '../../test/pending.js'

/** What a name means: a layer type with the kernels that it calls, or one kernel. */
export interface Subject {
  readonly type?: string
  readonly kernels: readonly (keyof Kernels)[]
}

/** How the cases of one kind went on one engine. */
export interface Row {
  readonly engine: string
  readonly what: string
  readonly cases: number
  readonly passed: number
  /** Cases that the time did not allow. */
  readonly left?: number
  /** The largest difference as a share of what is allowed; undefined where nothing is measured. */
  readonly worst?: number
  readonly ms: number
  /** One line for each case that failed. */
  readonly failures: readonly string[]
}

const kernelNames = Object.keys(jsKernels) as (keyof Kernels)[]
const usesOf = (type: string): readonly (keyof Kernels)[] | undefined =>
  (classOfType(type) ?? (builtInLayers as Record<string, LayerClass>)[type])?.uses

/** 'inner_product', 'InnerProduct' and 'innerproduct' are one name. */
const plain = (name: string): string => name.replaceAll(/[^a-z0-9]/gi, '').toLowerCase()

/** The layer of a name, written as it likes, else the kernel, or an error that says which names are near. */
export function findSubject(name: string): Subject {
  const same = (other: string): boolean => plain(other) === plain(name)
  const type = layerTypes().find(other => other === name) ?? layerTypes().find(same)
  // a Python layer is whatever class it names
  if (type !== undefined) return { type, kernels: type === 'Python' ? [] : (usesOf(type) ?? []) }
  const kernel = kernelNames.find(same)
  if (kernel !== undefined) return { kernels: [kernel] }
  const known = [...layerTypes(), ...kernelNames]
  const part = known.filter(other => plain(other).includes(plain(name)))
  const near =
    part.length > 0 && plain(name)
      ? part.sort((a, b) => a.length - b.length).slice(0, 8)
      : [nearestName(name, known).name]
  throw new Error(`there is no layer type and no kernel '${name}'; near it: ${near.join(', ')}`)
}

/** The engines that start here, by name, and why others do not. */
export async function startEngines(names: readonly string[]): Promise<{ engines: Engine[]; missing: string[] }> {
  const engines: Engine[] = []
  const missing: string[] = []
  for (const name of names) {
    try {
      engines.push(await createEngine(name, { threads: 2 }))
    } catch (error) {
      missing.push(`${name}: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  return { engines, missing }
}

/** The golden cases of a layer on an engine. */
export async function goldenRow(type: string, engine: Engine): Promise<Row | undefined> {
  // a fork may have given a type a second meaning or field, which is a file of its own
  const names = recordedLayers().flatMap(file => {
    const golden = new Golden<{ layer_type: string; cases: Case[] }>(file)
    if (golden.json.layer_type !== type || isPending(file, type)) return []
    return golden.json.cases.map(c => [c.name, () => runCase(golden, c, engine.name, type)] as const)
  })
  if (names.length === 0) return undefined
  return row(engine, 'golden', names)
}

/**
 * The cases of kernels on an engine, those that a device has not got left out. A limit in ms leaves out the large ones
 * too, and what there is no time for.
 */
export async function kernelRow(
  kernels: readonly (keyof Kernels)[],
  engine: Engine,
  limit = Number.POSITIVE_INFINITY,
): Promise<Row | undefined> {
  const cases = kernels
    .filter(kernel => kernel in engine.kernels)
    .flatMap(kernel =>
      casesFor(kernel, engine)
        .filter(({ hostOnly }) => limit === Number.POSITIVE_INFINITY || (hostOnly !== 'large' && hostOnly !== 'huge'))
        .map(
          c =>
            [
              `${kernel}, ${c.name}`,
              async () => {
                const { worst, at } = await compareCase(kernel, c, jsKernels, engine)
                if (!(worst <= 1)) throw new Error(at)
                return worst
              },
            ] as const,
        ),
    )
  return cases.length > 0 ? row(engine, kernels.length === 1 ? kernels[0] : 'kernels', cases, limit) : undefined
}

async function row(
  engine: Engine,
  what: string,
  cases: readonly (readonly [name: string, run: () => Promise<number>])[],
  limit = Number.POSITIVE_INFINITY,
): Promise<Row> {
  const failures: string[] = []
  let worst = 0
  const begun = performance.now()
  let ran = 0
  // every kernel gets its turn before the time is over: its cases lie together
  for (const [name, run] of spread(cases)) {
    if (performance.now() - begun > limit) break
    ran++
    try {
      worst = Math.max(worst, await run())
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  const ms = performance.now() - begun
  const passed = ran - failures.length
  return { engine: engine.name, what, cases: ran, passed, left: cases.length - ran, worst, ms, failures }
}

/** The same items, each some way from the one before. */
function spread<T>(items: readonly T[]): T[] {
  const stride = Math.ceil(Math.sqrt(items.length))
  return Array.from({ length: stride }, (_, first) => items.filter((_, i) => i % stride === first)).flat()
}

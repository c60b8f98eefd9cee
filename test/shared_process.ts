/**
 * Before every test file that shares its process with others. Layers that it registers, and what their classes make of
 * forks' messages, go with it (vitest puts back spies); whatever else it changes and leaves so fails it, since files behind it would
 * meet that: the environment, the working directory, globals, timers that stand in, listeners of signals and faults.
 */
import { readFileSync } from 'node:fs'
import { afterAll, expect, vi } from 'vitest'
import { messageInfo } from '../lib/proto/schema.js'
import { rememberLayers } from '../lib/registry.js'

const file = expect.getState().testPath!
const lasting = /\bvi\.(?:do)?[mM]ock\(|\bregisterEngine\([^)]/.exec(readFileSync(file, 'utf8'))?.[0]
if (lasting)
  throw new Error(
    `${file} shares its process, and ${lasting}…) lasts for all files behind it: name it among those with a process of their own, in vitest.config.ts`,
  )

/** What sharp and lmdb set when they are loaded. */
const loaded = ['process.env.VIPSHOME', 'globalThis.__lmdb_envs__']
const ABSENT = Symbol('absent')
/** A getter of Node's, which becomes a value when it is first read. */
const LATE = Symbol('late')

const putBack = rememberLayers()
const layer = messageInfo('LayerParameter')
const messages = [...layer.byName.values()]
const before = state()

afterAll(() => {
  putBack()
  for (const field of messages) if (layer.byName.get(field.name) !== field) layer.add(field)
  const after = state()
  const names = [...new Set([...before.keys(), ...after.keys()])]
  const left = names.filter(name => {
    const [was, is] = [before, after].map(values => (values.has(name) ? values.get(name) : ABSENT))
    return was !== LATE && !Object.is(was, is) && !loaded.includes(name)
  })
  vi.useRealTimers()
  if (left.length)
    throw new Error(
      `${file} shares its process and leaves behind: ${left.join(', ')}; put back what it was, in afterAll`,
    )
})

/** What files share, by names that say where it is. */
function state(): Map<string, unknown> {
  const globals = Object.entries(Object.getOwnPropertyDescriptors(globalThis))
  return new Map<string, unknown>([
    ['the working directory', process.cwd()],
    ['fake timers', vi.isFakeTimers()],
    ...Object.entries(process.env).map(([name, value]): [string, unknown] => [`process.env.${name}`, value]),
    ...globals.map(([name, { value, get }]): [string, unknown] => [`globalThis.${name}`, get ? LATE : value]),
    ...['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException', 'unhandledRejection'].map((event): [string, unknown] => [
      `listeners of ${event}`,
      process.listenerCount(event),
    ]),
  ])
}

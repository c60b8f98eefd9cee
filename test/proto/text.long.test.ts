import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { FormatError } from '../../lib/errors.js'
import { keptOf } from '../../lib/proto/kept.js'
import { parseNet } from '../../lib/proto/text.js'
import { RandomStream } from '../../lib/rng.js'
import { comparable, goldenText } from './helpers.js'
import { reference } from './text_reference.js'

const keepsAny = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && (keptOf(value).length > 0 || Object.values(value).some(keepsAny))

test('cut or altered anywhere, a net is read or refused, as by the reference', () => {
  const text = goldenText('nets/prototxt/shared_permissive.prototxt')
  const random = new RandomStream(7, 'text')
  const alphabet = '{}<>[]:;,-."\'\\#0x9aeEf \n'
  let read = 0
  for (let i = 0; i < 1500; i++) {
    const at = random.integer(text.length)
    const broken =
      i % 2
        ? text.slice(0, at)
        : text.slice(0, at) + alphabet[random.integer(alphabet.length)] + text.slice(at + random.integer(2))
    let message: unknown
    try {
      const net = parseNet(broken)
      // a name that nobody knows is kept here, and refused there
      if (!keepsAny(net)) message = comparable(net)
      read++
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError)
    }
    expect(message, broken).toEqual(reference('NetParameter', broken))
  }
  expect(read).toBeGreaterThan(100)
})

test('runs where code generation from strings is forbidden', () => {
  const script = `
    import { printNet } from './lib/proto/print.ts'
    import { parseNet } from './lib/proto/text.ts'
    import { readMessage, writeMessage } from './lib/proto/wire.ts'
    const net = parseNet('layer { name: "a" loss_weight: 0.5 }')
    console.log(printNet(readMessage('NetParameter', writeMessage('NetParameter', net))))
    try { new Function('1') } catch (error) { console.log(error.name) }`
  const args = ['--disallow-code-generation-from-strings', '--import', 'tsx', '--input-type=module', '-e', script]
  const printed = execFileSync(process.execPath, args, { cwd: new URL('../..', import.meta.url), encoding: 'utf8' })
  expect(printed.replace(/\s+/g, ' ').trim()).toBe('layer { name: "a" loss_weight: 0.5 } EvalError')
})

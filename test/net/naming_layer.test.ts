import { expect, test } from 'vitest'
import { Net, parseNet } from '../../lib/index.js'

test("a layer's own mistake is told in a message of bounded length, without orders to a terminal", async () => {
  const name = `\\033[2J${'x'.repeat(100_000)}`
  const net = parseNet(
    `layer { name: "${name}" type: "Input" top: "a" input_param { shape { ${'dim: 1 '.repeat(33)} } } }`,
  )
  const error = await Net.create(net, { engine: 'js' }).then(
    () => undefined,
    (error: Error) => error,
  )
  expect(error?.message).toMatch(/^layer '\\x1b\[2Jxxx.*33 axes, at most 32 are allowed$/s)
  expect(error!.message.length).toBeLessThanOrEqual(4002)
})

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { build, transformSync } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { block, root } from '../docs/embedding_blocks.js'
import { consumer } from './helpers.js'

/** The programs of docs/embedding.md that run in Node, as a user has them: beside the installed package. */
const folder = join(consumer, 'embedding')
beforeAll(() => {
  mkdirSync(folder)
  copyFileSync(join(root, 'docs/examples/mnist/lenet.prototxt'), join(folder, 'lenet.prototxt'))
  copyFileSync(join(root, 'test/golden/nets/lenet/lenet.caffemodel'), join(folder, 'lenet.caffemodel'))
  writeFileSync(join(folder, 'six.bin'), Uint8Array.of(10, 11, 12, 13, 14, 15))
  // `using` becomes what Node 20 understands
  for (const name of ['service', 'trainer', 'train', 'feeding', 'pairs', 'memory'])
    writeFileSync(
      join(folder, `${name}.js`),
      transformSync(block(`${name}.ts`), { loader: 'ts', target: 'es2022' }).code,
    )
})

const run = (file: string) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

/** A port that is free. */
const freePort = () =>
  new Promise<number>(resolve => {
    const server = createServer().listen(0, () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

/** A grey bar: 784 bytes that differ with `seed`. */
const picture = (seed: number) =>
  Uint8Array.from({ length: 784 }, (_, i) => ((i * (seed + 3)) % 29 < 9 ? 250 - seed : 0))

describe.each(['service.js', 'bundled.mjs'])('the Node service (%s)', file => {
  let service: ChildProcess
  let url: string
  let errors = ''
  beforeAll(async () => {
    if (file === 'bundled.mjs')
      await build({
        entryPoints: [join(folder, 'service.js')],
        outfile: join(folder, file),
        bundle: true,
        platform: 'node',
        format: 'esm',
        logLevel: 'error',
      })
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    service = spawn(process.execPath, [file], {
      cwd: folder,
      env: { ...process.env, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    service.stderr!.on('data', chunk => (errors += chunk))
    for (let tries = 0; ; tries++) {
      try {
        await fetch(url, { method: 'POST', body: picture(0) })
        break
      } catch (error) {
        if (tries > 1000 || service.exitCode !== null)
          throw new Error(`the service does not answer: ${errors}`, { cause: error })
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    }
  })
  afterAll(() => {
    service.kill()
  })

  it('gives overlapping requests their own answers, and refuses a wrong one alone', async () => {
    const ask = async (body: Uint8Array<ArrayBuffer>) => {
      const response = await fetch(url, { method: 'POST', body })
      return { status: response.status, text: await response.text() }
    }
    const alone: string[] = []
    for (let i = 0; i < 8; i++) alone.push((await ask(picture(i))).text)
    expect(new Set(alone).size).toBe(8)
    for (const answer of alone) {
      const probabilities = JSON.parse(answer) as number[]
      expect(probabilities).toHaveLength(10)
      expect(probabilities.reduce((sum, p) => sum + p)).toBeCloseTo(1, 5)
    }
    const order = Array.from({ length: 40 }, (_, i) => (i * 3) % 8)
    const [wrong, ...together] = await Promise.all([ask(new Uint8Array(7)), ...order.map(i => ask(picture(i)))])
    expect(wrong.status).toBe(400)
    // the sender is told that something is wrong, the log what
    expect(wrong.text).toBe('this is no picture of 784 bytes, or it cannot be served now\n')
    expect(errors).toContain("blob 'data' is 1×1×28×28 (784 values), but 7 values were given")
    expect(together.map(({ text }) => text)).toEqual(order.map(i => alone[i]))
  })

  it('survives senders that go away, and those that send too much', async () => {
    const gone = new AbortController()
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(10))
        gone.abort()
      },
    })
    const half = { method: 'POST', body, duplex: 'half', signal: gone.signal } as RequestInit
    await expect(fetch(url, half)).rejects.toThrow()
    await fetch(url, { method: 'POST', body: new Uint8Array(3e6) }).catch(() => {})
    const response = await fetch(url, { method: 'POST', body: picture(1) })
    expect(JSON.parse(await response.text())).toHaveLength(10)
  })

  it('ends when it is told to, without a word', async () => {
    errors = ''
    const ended = new Promise(resolve => service.once('exit', code => resolve(code)))
    service.kill('SIGTERM')
    expect(await ended).toBe(0)
    expect(errors).toBe('')
  })
})

describe('the other programs for Node', () => {
  it('a worker trains, reports, is stopped, and hands over its model', () => {
    const { code, out, err } = run('train.js')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const report = JSON.parse(out) as { stopped: boolean; iter: number; loss: number; again: number }
    expect(report.stopped).toBe(true)
    expect(report.iter).toBeLessThan(1_000_000)
    expect(report.loss).toBeLessThan(0.01)
    expect(report.again).toBeLessThan(0.01)
  })

  it('feeding: what the comments say is what comes out', () => {
    const { code, out, err } = run('feeding.js')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const said = [...block('feeding.ts').matchAll(/^console\.log.*\/\/ (\[\[.*)$/gm)].map(match => match[1])
    expect(said).toHaveLength(4)
    const lines = out.trim().split('\n')
    expect(lines.slice(0, 4)).toEqual(said)
    expect(lines[4]).toMatch(/feed of input 'data': the source has ended/)
    expect(lines).toHaveLength(5)
  })

  it('one stream of pairs trains', () => {
    const { code, out, err } = run('pairs.js')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(Number(out)).toBeLessThan(0.3)
    expect(Number(out)).toBeGreaterThan(0)
  })

  it('nets give their memory back', () => {
    expect(run('memory.js')).toEqual({ code: 0, err: '', out: '16 MiB\n' })
  })
})

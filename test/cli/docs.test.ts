/**
 * Runs docs/command-line.md: its commands in order, on small files of the names that it uses, and compares the output
 * that it shows.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Golden, type GoldenArray, goldenPath } from '../golden.js'
import { cli, temporaryFolder } from './helpers.js'

const root = join(import.meta.dirname, '../..')
const folder = temporaryFolder()
const home = process.cwd()
const page = readFileSync(join(root, 'docs/command-line.md'), 'utf8')
const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({ language, text }))
const names = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']

/** The files that the page speaks of. */
beforeAll(async () => {
  process.chdir(folder)
  const golden = (from: string, to: string) => copyFileSync(goldenPath(from), to)
  golden('io/mnist_200-images-idx3-ubyte', 'train-images-idx3-ubyte')
  golden('io/mnist_200-labels-idx1-ubyte', 'train-labels-idx1-ubyte')
  mkdirSync('images')
  for (const name of ['c0.png', 'j1.jpg', 'g2.png', 'c3.png', 'j4.jpg', 'g5.png'])
    golden(`io/images/${name}`, `images/${name}`)
  golden('io/images/list.txt', 'images/train.txt')
  for (const name of ['cats', 'dogs']) {
    mkdirSync(`photos/${name}`, { recursive: true })
    for (const file of ['c0.png', 'j1.jpg', 'c3.png', 'j4.jpg']) golden(`io/images/${file}`, `photos/${name}/${file}`)
  }
  golden('nets/lenet/lenet.caffemodel', 'lenet.caffemodel')
  golden('logs/caffe_train_lenet.log', 'lenet.log')
  golden('nets/upgrade/v0.in.prototxt', 'old.prototxt')
  golden('nets/legacy_v1.caffemodel', 'old.caffemodel')
  golden('nets/upgrade/solver_old.in.prototxt', 'old_solver.prototxt')
  for (const name of ['lenet', 'lenet_train_test', 'lenet_solver']) {
    const text = readFileSync(join(root, `docs/examples/mnist/${name}.prototxt`), 'utf8')
    const short = text
      .replaceAll(/(docs\/examples|examples-output)\/mnist\//g, '')
      .replaceAll('mnist_test_lmdb', 'mnist_train_lmdb')
      .replace('max_iter: 2000', 'max_iter: 4')
      .replace('test_iter: 100', 'test_iter: 1')
      .replace('display: 100', 'display: 2')
    writeFileSync(`${name}.prototxt`, short)
  }
  mkdirSync('digits')
  const lenet = new Golden<{ blobs_after_forward: (GoldenArray & { name: string })[] }>('nets/lenet/lenet')
  const pixels = Uint8Array.from(lenet.array(lenet.json.blobs_after_forward[0]), value => Math.round(value * 256))
  for (let i = 0; i < 2; i++) {
    const raw = { width: 28, height: 28, channels: 1 } as const
    await sharp(pixels.subarray(784 * i, 784 * (i + 1)), { raw })
      .png()
      .toFile(`digits/${i}.png`)
  }
  writeFileSync('digits.txt', names.join('\n'))
  copyFileSync(join(root, 'test/golden-forks/nets/ssd_mobilenet/ssd_mobilenet.prototxt'), 'deploy.prototxt')
  copyFileSync(join(root, 'test/golden-forks/nets/ssd_mobilenet/ssd_mobilenet.caffemodel'), 'ssd.caffemodel')
  writeFileSync('labelmap_voc.prototxt', 'item { name: "cat" label: 1 display_name: "cat" }')
  await sharp({ create: { width: 60, height: 40, channels: 3, background: '#806040' } })
    .png()
    .toFile('cat.jpg')
  for (const { language, text } of blocks) {
    const file = /^\/\/ (\S+)\n/.exec(text)?.[1]
    const library = pathToFileURL(join(root, 'lib/index.ts')).href
    if (language === 'js' && file) writeFileSync(file, text.replace("'ristretto'", `'${library}'`))
  }
})
afterAll(() => process.chdir(home))

/** The words of a command line; quotes keep words together. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain)

describe('docs/command-line.md', () => {
  const runs = blocks.flatMap((block, i) => {
    const shown = blocks[i + 1]?.language === 'text' ? blocks[i + 1].text : undefined
    return block.language === 'sh'
      ? block.text
          .trim()
          .split('\n')
          .map(line => ({ line, shown }))
      : []
  })

  it.each(runs)('$line', async ({ line, shown }) => {
    // trained for 4 iterations only
    const [command, log] = line.replace('_iter_2000', '_iter_4').split(' | tee ')
    const [program, ...argv] = wordsOf(command)
    expect(program).toBe('ristretto')
    const { code, out, err } = await cli(...argv)
    expect({ code, err: code ? err : '' }).toEqual({ code: 0, err: '' })
    if (log) writeFileSync(log, out)
    if (shown !== undefined) expect(out.trimEnd()).toBe(shown.trimEnd())
    if (argv.includes('--json')) expect(() => JSON.parse(out)).not.toThrow()
  })

  it('left the files that it speaks of', () => {
    const made = [
      'mean.binaryproto',
      'mean.npy',
      'ip1.npy',
      'lenet.log.train',
      'training.svg',
      'runs.svg',
      'lenet.svg',
      'new.caffemodel',
    ]
    expect(made.filter(name => !existsSync(name))).toEqual([])
  })

  it('has a section for every command', async () => {
    const { out } = await cli('--help')
    const commands = [...out.matchAll(/^ {2}([a-z][a-z-]+) /gm)]
      .map(match => match[1])
      .filter(name => !/^(ristretto|help)$/.test(name))
    expect(commands.length).toBeGreaterThan(14)
    for (const command of commands) expect(page).toContain(`\n### ${command}\n`)
  })
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { run } from '../../lib/cli/program.js'
import { duration, ProgressBar } from '../../lib/cli/progress.js'
import { bundled } from '../bundled.js'
import { temporaryFolder, tinyProblem } from './helpers.js'

const folder = temporaryFolder()
const tiny = tinyProblem(folder)

/** A stream that takes itself for a terminal. */
class Terminal extends Writable {
  readonly isTTY = true
  readonly columns = 120
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk)
    done()
  }
}

/** What a person sees in the end: the last state of each line. */
function screen(text: string): string[] {
  const lines = ['']
  let row = 0
  let column = 0
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's control sequences are what is read here
  for (const [token] of text.matchAll(/\x1b\[[\d;?]*[A-Za-z]|\x1b[78]|\n|\r|[^\x1b\n\r]+/g)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the same
    const [, size, move] = /^\x1b\[(\d*)([AGJK])$/.exec(token) ?? []
    if (token === '\n') {
      column = 0
      if (++row === lines.length) lines.push('')
    } else if (token === '\r' || move === 'G') column = 0
    else if (move === 'A') row -= Number(size || 1)
    else if (move === 'K') lines[row] = size === '1' ? '' : lines[row].slice(0, column)
    else if (move === 'J') {
      lines[row] = lines[row].slice(0, column)
      lines.length = row + 1
    } else if (!token.startsWith('\x1b')) {
      lines[row] = lines[row].slice(0, column).padEnd(column) + token + lines[row].slice(column + token.length)
      column += token.length
    }
  }
  return lines
}

describe('on a terminal', () => {
  it('training shows a bar with loss, learning rate, iterations/s and ETA, and leaves the tests and the end', async () => {
    const terminal = new Terminal()
    const long = join(folder, 'long.prototxt')
    writeFileSync(
      long,
      `net: "${tiny.model}" base_lr: 0.01 lr_policy: "fixed" max_iter: 20000 test_iter: 2 test_interval: 10000 display: 100 snapshot_prefix: "${folder}/long"`,
    )
    expect(await run(['train', '--solver', long, '--engine', 'js'], { out: terminal, err: terminal })).toBe(0)
    expect(terminal.text).toMatch(/Tiny [█░]+ +\d+ % +\d+\/20000 +loss \d\S* +lr 0\.0100 +\d\S* iter\/s +ETA \d+ s/)
    const left = screen(terminal.text).join('\n')
    expect(left).toMatch(/Test at iteration +0: accuracy = \S+, loss = \S+\n/)
    expect(left).toMatch(/Test at iteration 20000: accuracy = 1, loss = \S+\n/)
    expect(left).toMatch(/long_iter_20000\.solverstate\n/)
    expect(left).toMatch(/20000 iterations in \d+ s \(\S+ iter\/s without tests\), loss \S+/)
    expect(left).not.toMatch(/█|solver\.cpp/)
    // the cursor is shown again
    expect(terminal.text.lastIndexOf('\x1b[?25h')).toBeGreaterThan(terminal.text.lastIndexOf('\x1b[?25l'))
  })

  it('training by several workers shows the same bar', async () => {
    const terminal = new Terminal()
    const long = join(folder, 'workers.prototxt')
    writeFileSync(
      long,
      `net: "${tiny.model}" base_lr: 0.01 lr_policy: "fixed" max_iter: 1000 test_iter: 2 test_interval: 500 snapshot_prefix: "${folder}/workers"`,
    )
    const argv = ['train', '--solver', long, '--engine', 'js', '--workers', '2']
    const program = { url: pathToFileURL(await bundled('lib/cli/main.ts')).href, argv }
    expect(await run(argv, { out: terminal, err: terminal, program })).toBe(0)
    expect(terminal.text).toMatch(/Tiny [█░]+ +\d+ % +\d+\/1000 +loss \d\S* +lr 0\.0100 +\d\S* iter\/s +ETA \d+ s/)
    const left = screen(terminal.text).join('\n')
    expect(left).toMatch(/2 workers × batch \d+ × iter_size 1 = \d+ items an iteration/)
    expect(left).toMatch(/Test at iteration 1000: accuracy = \S+, loss = \S+\n/)
    expect(left.match(/1000 iterations in \d+ s \(\S+ iter\/s without tests\), loss \S+/g)).toHaveLength(1)
    expect(left).not.toMatch(/█|solver\.cpp/)
    expect(terminal.text.lastIndexOf('\x1b[?25h')).toBeGreaterThan(terminal.text.lastIndexOf('\x1b[?25l'))
  })

  it('--plain prints the log instead', async () => {
    const terminal = new Terminal()
    await run(['train', '--solver', tiny.solver, '--engine', 'js', '--plain'], { out: terminal, err: terminal })
    expect(terminal.text).toMatch(/solver\.cpp:239\] Iteration 10 \(/)
    expect(terminal.text).not.toContain('\x1b')
  })

  it('test shows a bar, and leaves plain words', async () => {
    const terminal = new Terminal()
    const weights = `${tiny.prefix}_iter_30.caffemodel`
    const argv = ['test', '--model', tiny.model, '--weights', weights, '--iterations', '3', '--engine', 'js']
    expect(await run(argv, { out: terminal, err: terminal })).toBe(0)
    expect(terminal.text).toMatch(/Testing [█░]+ +\d+ % \d\/3/)
    const left = screen(terminal.text).join('\n')
    expect(left).toMatch(
      /^Weights of .*\nCopying source layer ip\nEngine js \(.*\)\nRunning for 3 iterations\.\nLoss: \S+\naccuracy = 1\nloss = /,
    )
    expect(left).not.toMatch(/caffe\.cpp|net\.cpp/)
  })

  it('a failing run gives the cursor back', async () => {
    const terminal = new Terminal()
    const bad = join(folder, 'bad.prototxt')
    writeFileSync(
      bad,
      `net: "${tiny.model}" base_lr: 0.01 lr_policy: "fixed" max_iter: 3 snapshot_prefix: "/dev/null/no"`,
    )
    expect(await run(['train', '--solver', bad, '--engine', 'js'], { out: terminal, err: terminal })).toBe(1)
    expect(terminal.text.lastIndexOf('\x1b[?25h')).toBeGreaterThan(terminal.text.lastIndexOf('\x1b[?25l'))
    expect(screen(terminal.text).join('\n')).toMatch(/\nristretto: .*'\/dev\/null'/)
  })

  it('a bar draws while its loop never waits', () => {
    const terminal = new Terminal()
    const bar = new ProgressBar({ out: terminal, err: terminal }, 'Counting', 3, [])
    const end = performance.now() + 250
    while (performance.now() < end) bar.update(1)
    bar.log('a line that stays')
    bar.stop()
    expect(terminal.text).toMatch(/Counting █+░+ +33 % 1\/3 +ETA/)
    expect(screen(terminal.text).filter(Boolean)).toEqual(['a line that stays'])
  })

  it.each([
    [0.4, '0 s'],
    [59.4, '59 s'],
    [185, '3:05'],
    [3723, '1:02:03'],
  ])('%d seconds read %s', (seconds, text) => expect(duration(seconds)).toBe(text))
})

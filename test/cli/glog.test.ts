import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { glogLine } from '../../lib/cli/glog.js'
import { caffeLog } from '../../lib/solver/caffe_log.js'
import type { SolverEvent } from '../../lib/solver/events.js'

const golden = readFileSync(new URL('../golden/logs/caffe_train_lenet.log', import.meta.url), 'utf8').split('\n')

describe('log lines', () => {
  it('start as those of glog do', () => {
    const now = new Date(2026, 10, 22, 1, 39, 16).getTime() + 490.01
    expect(glogLine('Iteration 0, lr = 0.01', 'sgd_solver.cpp:112', now, 123)).toBe(
      'I1122 01:39:16.490010   123 sgd_solver.cpp:112] Iteration 0, lr = 0.01',
    )
    expect(glogLine('something else', undefined, now, 1234567)).toBe(
      'I1122 01:39:16.490010 1234567 ristretto.ts:1] something else',
    )
    expect(glogLine('x', 'y.cpp:3', new Date(2026, 0, 2, 3, 4, 5).getTime(), 12345)).toBe(
      'I0102 03:04:05.000000 12345 y.cpp:3] x',
    )
  })
})

/** What is the same in every line of a kind: words, without numbers and file names. */
const shapeOf = (text: string): string =>
  text
    .replace(/ file \S+/, ' file …')
    .replace(/-?\d+(\.\d+)?(e[-+]\d+)?/g, '#')
    .replace(/^Solving .*/, 'Solving …')

const accuracy = { name: 'accuracy', value: 0.5, lossWeight: 0 }
const loss = { name: 'loss', value: 0.25, lossWeight: 1 }
/** One event of each kind that Caffe's log of a LeNet run tells of. */
const story: readonly SolverEvent[] = [
  { type: 'begin', iter: 0, maxIter: 10, net: 'LeNet', policy: 'inv' },
  { type: 'testBegin', iter: 0, net: 0 },
  { type: 'test', iter: 0, net: 0, outputs: [accuracy, loss] },
  {
    type: 'display',
    iter: 0,
    loss: 2.5,
    lastLoss: 2.5,
    lr: 0.01,
    iterations: 10,
    seconds: 0.125,
    interval: 10,
    outputs: [loss],
  },
  { type: 'rate', policy: 'fixed', iter: 0, lr: 0.015, displayed: true },
  {
    type: 'snapshot',
    iter: 10,
    format: 'binary proto',
    best: false,
    files: { model: 'a.caffemodel', state: 'a.solverstate' },
  },
  { type: 'final', iter: 10, loss: 0.25 },
  { type: 'end', iter: 10, reason: 'done' },
]

describe('the story of a run', () => {
  const tags = new Map<string, string>()
  for (const event of story) caffeLog(event, (line, tag) => tags.set(shapeOf(line), tag ?? ''))

  // every kind of line that Caffe's solver prints is one of ours, with the tag that Caffe gives it
  const lines = golden.flatMap(line => {
    const match = /^I\d+ \S+ +\d+ ((?:sgd_)?solver\.cpp:\d+)\] (.*)$/.exec(line)
    return match && !/^(Initializing|Creating|Solver scaffolding)/.test(match[2]) ? [[match[1], match[2]] as const] : []
  })
  it('has enough lines to compare with', () => expect(lines.length).toBeGreaterThan(40))
  it.each(lines)('%s] %s', (tag, text) => {
    expect([...tags.keys()]).toContain(shapeOf(text))
    expect(tags.get(shapeOf(text))).toBe(tag)
  })
})

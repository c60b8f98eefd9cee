import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { glogLine } from '../../lib/cli/glog.js'

const golden = readFileSync(new URL('../golden/logs/caffe_train_lenet.log', import.meta.url), 'utf8').split('\n')

describe('log lines', () => {
  it('start as those of glog do', () => {
    const now = new Date(2026, 10, 22, 1, 39, 16).getTime() + 490.01
    expect(glogLine('Iteration 0, lr = 0.01', undefined, now, 123)).toBe(
      'I1122 01:39:16.490010   123 sgd_solver.cpp:112] Iteration 0, lr = 0.01',
    )
    expect(glogLine('something else', undefined, now, 1234567)).toBe(
      'I1122 01:39:16.490010 1234567 ristretto.ts:1] something else',
    )
    expect(glogLine('x', 'y.cpp:3', new Date(2026, 0, 2, 3, 4, 5).getTime(), 12345)).toBe(
      'I0102 03:04:05.000000 12345 y.cpp:3] x',
    )
  })

  // every line that Caffe's solver prints gets the tag that Caffe gives it
  const lines = golden.flatMap(line => {
    const match = /^I\d+ \S+ +\d+ ((?:sgd_)?solver\.cpp:\d+)\] (.*)$/.exec(line)
    return match ? [[match[1], match[2]] as const] : []
  })
  const ours = lines.filter(([, text]) => !/^(Initializing|Creating|Solver scaffolding)/.test(text))
  it('reads enough of the log', () => expect(ours.length).toBeGreaterThan(40))
  it.each(ours)('%s', (tag, text) => {
    expect(glogLine(text)).toContain(` ${tag}] ${text}`)
  })
})

/**
 * Where Caffe prints these lines. People's scripts select by it (`grep solver.cpp:239`) or count words (`awk '{print
 * $11}'`), so the library's log lines carry the tag of their original.
 */
const tags: readonly (readonly [pattern: RegExp, tag: string])[] = [
  [/^Iteration \d+ \(/, 'solver.cpp:239'],
  [/^ {4}Train net output #/, 'solver.cpp:258'],
  [/^Iteration \d+, lr = /, 'sgd_solver.cpp:112'],
  [/^Iteration \d+, Testing net /, 'solver.cpp:347'],
  [/^ {4}Test net output #/, 'solver.cpp:414'],
  [/^Test loss: /, 'solver.cpp:400'],
  [/^Iteration \d+, loss = /, 'solver.cpp:327'],
  [/^Solving /, 'solver.cpp:289'],
  [/^Learning Rate Policy: /, 'solver.cpp:290'],
  [/^Snapshotting to /, 'solver.cpp:464'],
  [/^Snapshotting solver state to /, 'sgd_solver.cpp:284'],
  [/^Optimization (Done|stopped early)\./, 'solver.cpp:332'],
  [/^Gradient clipping: /, 'sgd_solver.cpp:125'],
  [/^Ignoring source layer /, 'net.cpp:744'],
  [/^Copying source layer /, 'net.cpp:747'],
]

/** Tag of a line that has no counterpart in Caffe. */
const OWN_TAG = 'ristretto.ts:1'

const two = (n: number): string => String(n).padStart(2, '0')

/**
 * `Immdd hh:mm:ss.uuuuuu  pid file:line] text`: glog's form, which Caffe's parse_log reads. A text of several lines
 * keeps one prefix.
 */
export function glogLine(
  text: string,
  tag = tagOf(text),
  now = performance.timeOrigin + performance.now(),
  pid = process.pid,
): string {
  const date = new Date(now)
  const day = `${two(date.getMonth() + 1)}${two(date.getDate())}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  const micros = String(Math.floor((now - Math.floor(now / 1000) * 1000) * 1000)).padStart(6, '0')
  return `I${day} ${time}.${micros} ${String(pid).padStart(5)} ${tag}] ${text}`
}

const tagOf = (text: string): string => tags.find(([pattern]) => pattern.test(text))?.[1] ?? OWN_TAG

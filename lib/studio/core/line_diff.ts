/** Lines that stand around a change. */
const AROUND = 3
/** Places that are looked at at most: beyond, all lines between the first change and the last are one. */
const MOST = 4_000_000

/**
 * What makes one text of another, line by line: `-` before lines that went, `+` before those that came, a space before what
 * stands in both. Far from a change lines are left out, with `…` for them. Empty where the texts are equal.
 */
export function lineDiff(before: string, after: string): string {
  if (before === after) return ''
  const a = before.split('\n')
  const b = after.split('\n')
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const lines = [
    ...a.slice(0, start).map(line => ` ${line}`),
    ...between(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map(line => ` ${line}`),
  ]
  return nearChanges(lines).join('\n')
}

/** By the longest common subsequence of lines. */
function between(a: readonly string[], b: readonly string[]): string[] {
  const went = (line: string): string => `-${line}`
  const came = (line: string): string => `+${line}`
  if (a.length * b.length > MOST) return [...a.map(went), ...b.map(came)]
  const width = b.length + 1
  // at [i, j]: how many lines a from i on and b from j on have in common
  const common = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * width + j] =
        a[i] === b[j]
          ? common[(i + 1) * width + j + 1] + 1
          : Math.max(common[(i + 1) * width + j], common[i * width + j + 1])
  const lines: string[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length)
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(` ${a[i++]}`)
      j++
    } else if (j === b.length || (i < a.length && common[(i + 1) * width + j] >= common[i * width + j + 1]))
      lines.push(went(a[i++]))
    else lines.push(came(b[j++]))
  return lines
}

function nearChanges(lines: readonly string[]): string[] {
  const near = new Uint8Array(lines.length)
  for (const [at, line] of lines.entries())
    if (!line.startsWith(' ')) near.fill(1, Math.max(0, at - AROUND), at + AROUND + 1)
  return lines.flatMap((line, at) => (near[at] ? [line] : at === 0 || near[at - 1] ? ['…'] : []))
}

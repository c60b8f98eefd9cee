/** Tag of a line that has no counterpart in Caffe. */
const OWN_TAG = 'ristretto.ts:1'

const two = (n: number): string => String(n).padStart(2, '0')

/**
 * `Immdd hh:mm:ss.uuuuuu  pid file:line] text`: glog's form, which Caffe's parse_log reads. A text of several lines
 * keeps one prefix.
 */
export function glogLine(
  text: string,
  tag = OWN_TAG,
  now = performance.timeOrigin + performance.now(),
  pid = process.pid,
): string {
  const date = new Date(now)
  const day = `${two(date.getMonth() + 1)}${two(date.getDate())}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  const micros = String(Math.floor((now - Math.floor(now / 1000) * 1000) * 1000)).padStart(6, '0')
  return `I${day} ${time}.${micros} ${String(pid).padStart(5)} ${tag}] ${text}`
}

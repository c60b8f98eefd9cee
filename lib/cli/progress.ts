import cliProgress from 'cli-progress'
import { printable } from '../system/escape.js'
import type { Output } from './output.js'

/** A progress bar on the terminal's last line, with finished lines above it. */
export class ProgressBar {
  private readonly bars: cliProgress.MultiBar
  private readonly bar: cliProgress.SingleBar
  private readonly fields: Record<string, string> = {}
  private readonly begun = performance.now()
  private readonly first: number
  private drawn = 0
  private stopped = false

  /** @param fields further fields to show, in order; `set` fills them. */
  constructor(
    output: Output,
    title: string,
    private readonly total: number,
    fields: readonly string[],
    first = 0,
  ) {
    this.first = first
    for (const field of [...fields, 'left']) this.fields[field] = ''
    const texts = [...fields, 'left'].map(field => `{${field}}`)
    const room = (output.out.columns ?? 80) - title.length - 2 * String(total).length - 18 * fields.length - 24
    this.bars = new cliProgress.MultiBar({
      stream: output.out as NodeJS.WriteStream,
      format: `${printable(title)} {bar} {percentage} % {value}/{total}  ${texts.join('  ')}`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: Math.max(8, Math.min(30, room)),
      fps: 10,
      autopadding: true,
      hideCursor: true,
      stopOnComplete: false,
      clearOnComplete: true,
      gracefulExit: false,
      forceRedraw: true,
    })
    // whatever ends the process gives the terminal its cursor back
    process.once('exit', this.release)
    this.bar = this.bars.create(total, first, this.fields)
  }

  /** @param left seconds to go, where the caller knows better than the mean pace so far. */
  update(value: number, fields: Readonly<Record<string, string>> = {}, left = this.secondsLeft(value)): void {
    Object.assign(this.fields, fields)
    this.fields['left'] = left > 0 && left < Number.POSITIVE_INFINITY ? `ETA ${duration(left)}` : ''
    this.bar.update(value, this.fields)
    // a loop that never waits keeps the timer from drawing
    if (performance.now() - this.drawn > 100) this.draw()
  }

  /** Lines that stay, above the bar. */
  log(...lines: string[]): void {
    this.bars.log(`${lines.map(printable).join('\n')}\n`)
    this.draw()
  }

  /** Take the bar away. */
  stop(): void {
    if (this.stopped) return
    this.stopped = true
    this.bars.update()
    this.release()
    process.off('exit', this.release)
  }

  private secondsLeft(value: number): number {
    return ((performance.now() - this.begun) / 1000 / (value - this.first)) * (this.total - value)
  }

  private draw(): void {
    this.drawn = performance.now()
    this.bars.update()
  }

  private readonly release = (): void => this.bars.stop()
}

/** `42 s`, `3:05`, `1:02:03`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  if (parts[0] === 0) parts.shift()
  return parts.map((part, i) => (i ? String(part).padStart(2, '0') : part)).join(':')
}

/** Numbers, times and sizes as a person reads them. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const share = new Intl.NumberFormat('en', { style: 'percent', minimumFractionDigits: 2, maximumFractionDigits: 2 })

/** 12,345 */
export const count = (value: number): string => whole.format(value)

/** 2.3M */
export const compact = (value: number): string => short.format(value)

/** 99.11 %, which no line's end parts */
export const percent = (value: number): string => share.format(value).replace('%', '\u00a0%')

/** How far a training is, or how long: two digits after the point, none of them rounded up. */
export const epochs = (value: number): number => Math.floor(value * 100 + 1e-6) / 100

/** A measured value in `digits` significant digits, without an exponent where that is short. */
export function figure(value: number | null | undefined, digits = 4): string {
  if (value === undefined) return '–'
  // what is not finite, on its way as JSON
  if (value === null) return 'NaN'
  if (!Number.isFinite(value)) return String(value)
  if (value === 0) return '0'
  const size = Math.abs(value)
  return size >= 1e6 || size < 1e-4 ? value.toExponential(digits - 2) : String(Number(value.toPrecision(digits)))
}

/** Outputs that are shares are written as such. */
export const isShare = (name: string): boolean => /acc|top.?\d/i.test(name)
export const output = (name: string, value: number): string => (isShare(name) ? percent(value) : figure(value))

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** 9.1 MB */
export function bytes(value: number): string {
  let unit = 0
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${UNITS[unit]}`
}

/** 0:41, 1:02:03 */
export function duration(seconds: number): string {
  const all = Math.max(0, Math.round(seconds))
  const two = (value: number): string => String(value).padStart(2, '0')
  const hours = Math.floor(all / 3600)
  const minutes = Math.floor(all / 60) % 60
  return hours ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`
}

const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' })
const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hour12: false })

/** 14:05 today, else the whole date. */
export function moment(milliseconds: number): string {
  const time = new Date(milliseconds)
  return time.toDateString() === new Date().toDateString() ? clock.format(time) : day.format(time)
}

/** 20 × 24 × 24 */
export const shapeText = (shape: readonly number[]): string => (shape.length ? shape.join(' × ') : 'one number')

/** `0.01` or `0.01, 0.001`: a number, or several. Nothing of it a number: undefined. */
export function parseSweep(text: string): number | readonly number[] | undefined {
  const values = text
    .split(/[,;\s]+/)
    .filter(Boolean)
    .map(Number)
  if (!values.length || values.some(Number.isNaN)) return undefined
  return values.length === 1 ? values[0] : values
}

export const sweepText = (value: number | readonly number[] | undefined): string =>
  value === undefined ? '' : [value].flat().map(short6).join(', ')

/** A third is 0.333333: more digits than a person types say nothing. */
const short6 = (value: number): string => String(Number(value.toPrecision(6)))

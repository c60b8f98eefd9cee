import { mustTake } from '../system/arguments.js'

/** What the outputs of a net were at one iteration. */
export interface LogRow {
  readonly iteration: number
  /** Since the solver began; NaN where the log has no times. */
  readonly seconds: number
  /** The rate that the iteration was made with; NaN where the log names none. */
  learningRate: number
  /**
   * The rate printed last before the row, and for a table's first row that of its second: what Caffe's parse_log gives.
   */
  rateBefore: number
  /** Number of the test net; 0 for training. */
  readonly net: number
  /** By name; further values of one output are 'name[1]', 'name[2]', … */
  readonly outputs: Map<string, number>
}

/** The tables in a training log. */
export interface LogTables {
  readonly train: LogRow[]
  readonly test: LogRow[]
  /** Outputs with a loss weight. */
  readonly losses: Set<string>
}

/** What glog puts before a line; names within the line may look like other lines. */
const PREFIX = /^.*?[IWEF]\d{4,8} \d\d:\d\d:\d\d\.\d+ .*?\S:\d+\] /
const ITERATION = /^\s*Iteration (\d+)/
const RATE = /^\s*Iteration \d+, lr = ([-+.\deE]+)/
const TESTING = /^\s*Iteration \d+, Testing net \(#(\d+)\)/
const OUTPUT = /^\s*(Train|Test) net output #(\d+): (.*?) = ([-+]?(?:nan|inf)\b|[-+.\deE]+)( \(\* [^()]* loss\))?\s*$/
/** glog's prefix, with the year or without. */
const STAMP = /(?:^|\s)[IWEF](\d{4})?(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d+)/
/** Where the clock starts. */
const START = /\] Solving /

/**
 * The tables in a training log, Caffe's or one of ours: a row for each iteration whose outputs are printed.
 * @param year of stamps that have none, for the length of February
 */
export function parseLog(text: string, year = 2000): LogTables {
  mustTake(typeof text === 'string', 'parseLog', 'the text of a log', text)
  const tables: LogTables = { train: [], test: [], losses: new Set() }
  const clock = new LogClock(year)
  let iteration = -1
  let rate = Number.NaN
  let net = 0
  let current: { row: LogRow; kind: string; index: number } | undefined
  // rows whose learning rate, printed after the outputs, has not come yet
  let waiting: LogRow[] = []

  for (const line of text.split('\n')) {
    clock.read(line)
    const said = line.replace(PREFIX, '')
    const at = ITERATION.exec(said)
    if (at) iteration = Number(at[1])
    // before the first iteration there is nothing but set-up
    if (iteration < 0) continue
    const testing = TESTING.exec(said)
    if (testing) net = Number(testing[1])
    const newRate = RATE.exec(said)
    if (newRate) {
      rate = Number(newRate[1])
      for (const row of waiting)
        if (row.iteration === iteration || Number.isNaN(row.learningRate)) row.learningRate = rate
      waiting = []
    }
    const match = OUTPUT.exec(said)
    if (!match) continue
    const [, kind, number, name, value, rest] = match
    const index = Number(number)
    const row = current?.row
    if (
      !row ||
      current?.kind !== kind ||
      row.iteration !== iteration ||
      (kind === 'Test' && row.net !== net) ||
      index <= current.index
    ) {
      // if no rate is printed for this iteration, that of the display before holds
      const times = { iteration, seconds: clock.seconds, learningRate: rate, rateBefore: rate }
      const added = { ...times, net: kind === 'Test' ? net : 0, outputs: new Map() }
      tables[kind === 'Train' ? 'train' : 'test'].push(added)
      waiting.push(added)
      current = { row: added, kind, index }
    } else current.index = index
    const { outputs } = current!.row
    // a terminal would obey control characters
    const plain = name.replace(/\p{Cc}/gu, '\ufffd')
    let key = plain
    for (let k = 1; outputs.has(key); k++) key = `${plain}[${k}]`
    outputs.set(key, toNumber(value))
    if (rest) tables.losses.add(key)
  }
  fixFirstRates(tables.train)
  fixFirstRates(tables.test)
  return tables
}

/** No rate is printed before the first row: Caffe's script takes that of the second. */
function fixFirstRates(rows: readonly LogRow[]): void {
  for (const net of new Set(rows.map(row => row.net))) {
    const [first, second] = rows.filter(row => row.net === net)
    if (second) first.rateBefore = second.rateBefore
    else if (Number.isNaN(first.rateBefore)) first.rateBefore = first.learningRate
  }
}

const toNumber = (text: string): number => {
  if (/nan$/.test(text)) return Number.NaN
  if (/inf$/.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return Number(text)
}

/** Seconds since the log's line "Solving …", or since its first stamp. */
class LogClock {
  seconds = Number.NaN
  private start = Number.NaN
  private started = false
  private month = 0

  constructor(private year: number) {}

  read(line: string): void {
    const match = STAMP.exec(line)
    if (!match) return
    const [year, month, day, hours, minutes, seconds] = match.slice(1, 7).map(text => Number(text ?? Number.NaN))
    // New Year's Eve
    if (month < this.month) this.year++
    this.month = month
    const time =
      Date.UTC(match[1] ? year : this.year, month - 1, day, hours, minutes, seconds) / 1000 + Number(`0.${match[7]}`)
    const isStart = !this.started && START.test(line)
    if (isStart || Number.isNaN(this.start)) this.start = time
    if (isStart) this.started = true
    this.seconds = Math.round((time - this.start) * 1e6) / 1e6
  }
}

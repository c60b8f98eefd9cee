import { randomBytes } from 'node:crypto'

/** Milliseconds for which an address is good. */
const GOOD = 60_000

interface Ticket {
  readonly path: string
  readonly name: string
  readonly until: number
}

/** Addresses of files that work once, for a minute, without a token: a browser downloads by navigating. */
export class Tickets {
  private readonly tickets = new Map<string, Ticket>()

  constructor(private readonly now: () => number = Date.now) {}

  add(path: string, name: string): string {
    for (const [key, { until }] of this.tickets) if (until < this.now()) this.tickets.delete(key)
    const key = randomBytes(24).toString('base64url')
    this.tickets.set(key, { path, name, until: this.now() + GOOD })
    return `/download/${key}`
  }

  /** The file, this one time. */
  take(key: string): Ticket | undefined {
    const ticket = this.tickets.get(key)
    this.tickets.delete(key)
    return ticket && ticket.until >= this.now() ? ticket : undefined
  }
}

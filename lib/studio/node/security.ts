import { createHash, timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'

/** What a page of this server may load and do: nothing from elsewhere. */
export const PAGE_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "img-src 'self' blob: data:",
  "style-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const ANSWERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'content-security-policy': PAGE_POLICY,
}

export interface Guard {
  /** Names and ports under which browsers reach this server: `127.0.0.1:5151`. */
  readonly hosts: () => ReadonlySet<string>
  /** Addresses of its own pages: `http://127.0.0.1:5151`. */
  readonly origins: () => ReadonlySet<string>
  readonly token: string
}

/** Every answer gets its headers, and requests that come by way of another site get none but a refusal. */
export const guardOrigin =
  ({ hosts, origins }: Guard): MiddlewareHandler =>
  async (context, next) => {
    const { req } = context
    const refusal = (why: string) => context.json({ message: why }, 403)
    const origin = req.header('origin')
    if (!hosts().has((req.header('host') ?? '').toLowerCase()))
      context.res = refusal('this server does not go by the name that the request calls it (Host)')
    else if (origin !== undefined && !origins().has(origin.toLowerCase()))
      context.res = refusal('the request comes from the page of another site (Origin)')
    else if (req.header('sec-fetch-site') === 'cross-site')
      context.res = refusal('the request comes from the page of another site (Sec-Fetch-Site)')
    else await next()
    for (const [name, value] of Object.entries(ANSWERS)) context.res.headers.set(name, value)
  }

/** Only who has the token goes on. */
export function guardToken({ token }: Guard): MiddlewareHandler {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const wanted = digest(`Bearer ${token}`)
  return async (context, next) => {
    // of digests, so that not even the length of the token shows in the time that it takes
    if (!timingSafeEqual(digest(context.req.header('authorization') ?? ''), wanted))
      return context.json({ message: 'the token is missing or wrong: open the address that the command printed' }, 401)
    await next()
    context.res.headers.set('cache-control', 'no-store')
  }
}

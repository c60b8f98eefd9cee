/**
 * Adds the headers that give a page threads, on hosts that cannot send them. It keeps nothing: what it answers is what the host
 * answered.
 */
export {}

/** Put in by the build: the same as in the file `_headers`. */
declare const HEADERS: Readonly<Record<string, string>>

interface FetchEvent extends Event {
  readonly request: Request
  respondWith(response: Promise<Response>): void
}
interface Scope {
  skipWaiting(): void
  readonly clients: { claim(): Promise<void> }
  addEventListener(type: 'install', listener: () => void): void
  addEventListener(type: 'activate', listener: (event: { waitUntil(done: Promise<void>): void }) => void): void
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void
}
const scope = self as unknown as Scope

scope.addEventListener('install', () => scope.skipWaiting())
scope.addEventListener('activate', event => event.waitUntil(scope.clients.claim()))
scope.addEventListener('fetch', event => {
  const { request } = event
  if (!request.url.startsWith(location.origin)) return
  event.respondWith(
    fetch(request).then(answer => {
      // an answer that a page may not look into stays as it is
      if (answer.status === 0) return answer
      const headers = new Headers(answer.headers)
      for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value)
      const { status, statusText } = answer
      return new Response(status === 204 || status === 304 ? null : answer.body, { status, statusText, headers })
    }),
  )
})

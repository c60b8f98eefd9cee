import { httpStudio } from '../http_studio.js'
import { startPage } from './app.js'
import type { LocalSettings } from './local.js'

/** Where this origin keeps the token that came with the address. */
const KEY = 'ristretto studio token'

/** The token of the address, which is then taken out of it: it is seen by nobody who looks over a shoulder, or in a history. */
function takeToken(): string {
  const given = /^#token=([\w.~+/=-]+)$/.exec(location.hash)?.[1]
  if (given === undefined) return localStorage.getItem(KEY) ?? ''
  localStorage.setItem(KEY, given)
  history.replaceState(null, '', location.pathname)
  return given
}

const host = document.getElementById('app') ?? document.body
/** A site without a server names its programs here. */
const local = document.getElementById('local')?.textContent
if (local) void import('./local.js').then(({ startLocal }) => startLocal(JSON.parse(local) as LocalSettings, host))
else startPage(httpStudio({ token: takeToken() }), host)

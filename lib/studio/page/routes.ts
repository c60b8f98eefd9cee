import { signal } from '@preact/signals'
import type { JobId } from '../api/index.js'

/** Where a page is: kept in the address behind '#', so that any static host serves it. */
export type Route =
  | { readonly screen: 'home' }
  | { readonly screen: 'new-dataset'; readonly from?: JobId }
  | { readonly screen: 'new-model'; readonly from?: JobId; readonly dataset?: JobId; readonly weights?: JobId }
  | { readonly screen: 'job'; readonly id: JobId; readonly view: 'main' | 'try' | 'files' }
  | { readonly screen: 'compare'; readonly ids: readonly JobId[] }
  | { readonly screen: 'import' }
  | { readonly screen: 'unknown'; readonly path: string }

/** The route that an address names; what comes before '#' may be left out. */
export function parseRoute(hash: string): Route {
  const [path, query = ''] = hash.replace(/^[^#]*#?/, '').split('?')
  const asked = new URLSearchParams(query)
  const one = (name: string): string | undefined => asked.get(name) || undefined
  const [first = '', second = '', third = ''] = path.split('/').filter(Boolean)
  if (!first) return { screen: 'home' }
  if (first === 'datasets' && second === 'new') return { screen: 'new-dataset', from: one('from') }
  if (first === 'models' && second === 'new')
    return { screen: 'new-model', from: one('from'), dataset: one('dataset'), weights: one('weights') }
  if (first === 'jobs' && second && (third === '' || third === 'try' || third === 'files'))
    return { screen: 'job', id: second, view: third || 'main' }
  if (first === 'compare') return { screen: 'compare', ids: (asked.get('ids') ?? '').split(',').filter(Boolean) }
  if (first === 'import') return { screen: 'import' }
  return { screen: 'unknown', path }
}

/** The address of a route, for a link. */
export function addressOf(route: Route): string {
  switch (route.screen) {
    case 'home':
      return '#/'
    case 'new-dataset':
      return `#/datasets/new${queryOf({ from: route.from })}`
    case 'new-model':
      return `#/models/new${queryOf({ from: route.from, dataset: route.dataset, weights: route.weights })}`
    case 'job':
      return `#/jobs/${route.id}${route.view === 'main' ? '' : `/${route.view}`}`
    case 'compare':
      return `#/compare?ids=${route.ids.join(',')}`
    case 'import':
      return '#/import'
    case 'unknown':
      return `#${route.path}`
  }
}

function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const set = Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return set.length ? `?${new URLSearchParams(set)}` : ''
}

export const route = signal<Route>({ screen: 'home' })

/** Follow the address until the signal ends it. */
export function followAddress(signal: AbortSignal): void {
  const read = (): void => {
    route.value = parseRoute(location.hash)
  }
  addEventListener('hashchange', read, { signal })
  read()
}

export function go(to: Route): void {
  location.hash = addressOf(to).slice(1)
}

export const jobRoute = (id: JobId, view: 'main' | 'try' | 'files' = 'main'): Route => ({ screen: 'job', id, view })

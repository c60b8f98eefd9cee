import { describe, expect, test } from 'vitest'
import { addressOf, parseRoute, type Route } from '../../../lib/studio/page/routes.js'

const routes: Route[] = [
  { screen: 'home' },
  { screen: 'new-dataset', from: undefined },
  { screen: 'new-dataset', from: '20261129-0131-k7f3' },
  { screen: 'new-model', from: undefined, dataset: '20261129-0131-k7f3', weights: undefined },
  { screen: 'job', id: '20261129-0131-k7f3', view: 'main' },
  { screen: 'job', id: '20261129-0131-k7f3', view: 'try' },
  { screen: 'job', id: '20261129-0131-k7f3', view: 'files' },
  { screen: 'compare', ids: ['20261129-0131-k7f3', '20261129-0131-k7f4'] },
  { screen: 'import' },
]

describe('addresses', () => {
  test.each(routes)('leads back to itself: %j', route => {
    expect(parseRoute(addressOf(route))).toEqual(route)
  })

  test('what leads nowhere says so', () => {
    for (const hash of ['#/nowhere', '#/jobs', '#/jobs/x/nothing', '#/datasets'])
      expect(parseRoute(hash).screen, hash).toBe('unknown')
    expect(parseRoute('')).toEqual({ screen: 'home' })
    expect(parseRoute('#')).toEqual({ screen: 'home' })
  })
})

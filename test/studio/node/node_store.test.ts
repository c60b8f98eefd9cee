/** Stores of Node's side do what every Store does; what Chromium's does is in test/studio/browser. */
import { describe, test } from 'vitest'
import { memoryStore } from '../../../lib/studio/core/memory_store.js'
import { nodeStore } from '../../../lib/studio/node/node_store.js'
import { temporaryFolder } from '../built.js'
import { storeContract } from '../core/store_contract.js'

describe.each(Object.entries(storeContract))('%s', (_, contract) => {
  test('in memory', () => contract(memoryStore()))
  test('in a folder', async () => contract(nodeStore(await temporaryFolder())))
})

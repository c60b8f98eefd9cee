/** Runs the case of the store's contract that it is told, in an empty store. */
import { privateFiles } from '../../../lib/studio/browser/opfs_handles.js'
import { opfsStore } from '../../../lib/studio/browser/opfs_store.js'
import { storeContract } from '../core/store_contract.js'

addEventListener('message', async ({ data }: MessageEvent<string>) => {
  const root = await privateFiles()
  const folder = await root.getDirectoryHandle(crypto.randomUUID(), { create: true })
  try {
    await storeContract[data](opfsStore(folder))
    const left: string[] = []
    for await (const { name } of (await folder.getDirectoryHandle('.unfinished', { create: true })).values())
      left.push(name)
    postMessage(left.length ? `left unfinished: ${left.join(', ')}` : 'passed')
  } catch (error) {
    postMessage(String((error as Error).stack))
  }
})

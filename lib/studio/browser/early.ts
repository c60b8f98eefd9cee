import type { Channel } from './calls.js'

/**
 * A channel that keeps what comes before somebody listens: a program that waits for something first must not miss what it is
 * told meanwhile.
 */
export function early(channel: Channel): Channel {
  const kept: { readonly data: unknown }[] = []
  let listening = false
  channel.addEventListener('message', event => {
    if (!listening) kept.push(event)
  })
  return {
    postMessage: (message, transfer) => channel.postMessage(message, transfer),
    addEventListener(type, listener) {
      channel.addEventListener(type, listener)
      if (listening) return
      listening = true
      for (const event of kept.splice(0)) listener(event)
    },
  }
}

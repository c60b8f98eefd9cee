/** All that the frame for code from elsewhere does: start what it is given as a worker, and say when it breaks. */
import type { ToFrame } from './sandbox.js'

addEventListener(
  'message',
  ({ data }: MessageEvent<ToFrame>) => {
    const { code, role, files, talk } = data
    const say = (reason: string): void => parent.postMessage(reason, '*')
    const worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })))
    worker.addEventListener('error', event => say(event.message || 'its program cannot be run'))
    worker.postMessage({ role, files, talk }, [files, talk])
  },
  { once: true },
)

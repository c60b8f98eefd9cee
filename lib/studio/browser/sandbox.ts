import { answerCalls, channelOf } from './calls.js'
import type { Programs } from './hub_config.js'
import type { Role } from './sandboxes.js'

/** What a frame is told: the program to run, and its ports. */
export interface ToFrame {
  readonly code: string
  readonly role: Role
  readonly files: MessagePort
  readonly talk: MessagePort
}

/**
 * Frames for code from elsewhere: the page's side. A frame has an origin of its own that is nobody's, so that neither files nor
 * storage of this site are in reach, and its policy lets it fetch nothing. Inside runs a worker of one classic script, which all
 * parts of the program are put into here: modules would have to be fetched.
 */
export function serveFrames(port: MessagePort, programs: Pick<Programs, 'sandbox' | 'frame'>): void {
  const frames = new Map<number, HTMLIFrameElement>()
  const channel = channelOf(port)
  let code: Promise<string> | undefined
  answerCalls(channel, async (method, args, { tell }) => {
    const id = Number(args[0])
    if (method === 'remove') {
      frames.get(id)?.remove()
      frames.delete(id)
      return
    }
    code ??= fetchProgram(programs.sandbox)
    code.catch(() => (code = undefined))
    const [, role, files, talk] = args as [number, Role, MessagePort, MessagePort]
    const frame = document.createElement('iframe')
    frames.set(id, frame)
    await open(frame, programs.frame)
    frame.contentWindow?.postMessage({ code: await code, role, files, talk } satisfies ToFrame, '*', [files, talk])
    window.addEventListener('message', ({ source, data }) => {
      if (source === frame.contentWindow) tell(String(data))
    })
  })
}

async function fetchProgram(list: string): Promise<string> {
  const files = JSON.parse(await fetchText(list)) as string[]
  return (await Promise.all(files.map(fetchText))).join('\n')
}

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`the program for code from elsewhere cannot be loaded: ${response.status}`)
  return response.text()
}

function open(frame: HTMLIFrameElement, src: string): Promise<void> {
  frame.setAttribute('sandbox', 'allow-scripts')
  // where a service worker adds the headers of this page, it does not for frames without an origin: they need none so
  frame.setAttribute('credentialless', '')
  // threads need memory that they share, if this page has it
  frame.allow = 'cross-origin-isolated'
  frame.hidden = true
  frame.title = 'Code from elsewhere'
  return new Promise((resolve, reject) => {
    frame.addEventListener('load', () => resolve(), { once: true })
    frame.addEventListener('error', () => reject(new Error('the frame for code from elsewhere cannot be loaded')))
    frame.src = src
    document.body.append(frame)
  })
}

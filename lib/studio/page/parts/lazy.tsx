import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Failure, Waiting } from './ui.js'

const wanted = new Set<() => Promise<unknown>>()

/** A component whose code comes when it is first shown, or when the page has nothing else to do. */
export function lazy<P extends object>(fetch: () => Promise<ComponentType<P>>): ComponentType<P> {
  let found: ComponentType<P> | undefined
  const bring = async (): Promise<void> => {
    found ??= await fetch()
  }
  wanted.add(bring)
  return function Lazy(props: P) {
    const [, setTurn] = useState(0)
    const [error, setError] = useState<unknown>()
    const again = (): void => void bring().then(() => setTurn(1), setError)
    useEffect(() => {
      if (!found) again()
    }, [])
    if (found) {
      const Found = found
      return <Found {...props} />
    }
    return (
      <div class="screen">{error === undefined ? <Waiting lines={6} /> : <Failure error={error} again={again} />}</div>
    )
  }
}

/** Bring what has not been shown yet, one after the other: the next click finds it. */
export async function bringRest(): Promise<void> {
  for (const bring of wanted)
    try {
      await bring()
    } catch {
      // it is asked for again, and told, when it is shown
    }
}

import { useEffect, useRef, useState } from 'preact/hooks'
import type { JobId } from '../api/index.js'
import { isAbort } from './desk.js'

/** What is read from the studio: not there yet, there, or why not. */
export interface Loaded<T> {
  readonly value?: T
  readonly error?: unknown
  readonly loading: boolean
  reload(): void
}

/**
 * Read something, anew whenever `keys` change. The last value stays in view while the next one is on its way; an answer
 * that comes too late is dropped.
 */
export function useLoad<T>(
  read: ((signal: AbortSignal) => Promise<T>) | undefined,
  keys: readonly unknown[],
): Loaded<T> {
  const [state, set] = useState<{ value?: T; error?: unknown; loading: boolean }>({ loading: read !== undefined })
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    if (!read) {
      set({ loading: false })
      return
    }
    const stop = new AbortController()
    set(last => ({ ...last, loading: true }))
    read(stop.signal).then(
      value => stop.signal.aborted || set({ value, loading: false }),
      error => stop.signal.aborted || isAbort(error) || set(last => ({ value: last.value, error, loading: false })),
    )
    return () => stop.abort()
  }, [...keys, read === undefined, turn])
  return { ...state, reload: () => setTurn(last => last + 1) }
}

/** Fill a form from a job. True until that is done: what was typed into the form before would be lost. */
export function useCopy(from: JobId | undefined, copy: (from: JobId) => Promise<unknown>): boolean {
  const [copied, setCopied] = useState<JobId>()
  useEffect(() => {
    if (from) void copy(from).finally(() => setCopied(from))
  }, [from])
  return from !== undefined && copied !== from
}

/** The value as it was when it last stood still for `wait` milliseconds. */
export function useSettled<T>(value: T, wait: number): T {
  const [settled, set] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => set(() => value), wait)
    return () => clearTimeout(timer)
  }, [value, wait])
  return settled
}

/** The width of an element in pixels, as it changes. */
export function useWidth<E extends Element>(): [width: number, ref: { current: E | null }] {
  const ref = useRef<E>(null)
  const [width, set] = useState(0)
  useEffect(() => {
    if (!ref.current) return
    const observer = new ResizeObserver(entries => set(Math.floor(entries[0].contentRect.width)))
    observer.observe(ref.current)
    return () => observer.disconnect()
  }, [])
  return [width, ref]
}

/** An address of a blob, as long as somebody shows it. */
export function useAddress(blob: Blob | undefined): string {
  const [address, set] = useState('')
  useEffect(() => {
    if (!blob) {
      set('')
      return
    }
    const made = URL.createObjectURL(blob)
    set(made)
    return () => URL.revokeObjectURL(made)
  }, [blob])
  return address
}

/** Counts up when the colours of the page change. */
export function useTheme(): number {
  const [turn, set] = useState(0)
  useEffect(() => {
    const change = (): void => set(last => last + 1)
    const observer = new MutationObserver(change)
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
    return () => observer.disconnect()
  }, [])
  return turn
}

/** Save text or bytes as a file of the person's. */
export function save(name: string, content: BlobPart, type: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }))
  download(address, name)
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

/** Download from an address. */
export function download(address: string, name = ''): void {
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
}

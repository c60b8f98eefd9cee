import { signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'ristretto-studio-theme'

/** What the person chose. The stylesheet goes by the attribute `data-theme`, which always says light or dark. */
export const theme = signal<Theme>('system')

/** Take the theme that was chosen last, and follow the system where none was. */
export function followTheme(signal: AbortSignal): void {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const kept = stored()
  theme.value = kept === 'light' || kept === 'dark' ? kept : 'system'
  const show = (): void => {
    document.documentElement.dataset.theme = theme.value === 'system' ? (dark.matches ? 'dark' : 'light') : theme.value
  }
  dark.addEventListener('change', show, { signal })
  const stop = theme.subscribe(show)
  signal.addEventListener('abort', stop)
}

export function chooseTheme(next: Theme): void {
  theme.value = next
  try {
    localStorage.setItem(KEY, next)
  } catch {
    // a browser that keeps nothing: the choice holds until the page is left
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}

import { texts } from '../texts.js'
import { chooseTheme, type Theme, theme } from '../theme.js'
import { Button } from './ui.js'

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const ICONS = { system: 'half', light: 'sun', dark: 'moon' } as const

/** Light, dark, or as the system says. */
export function ThemeButton() {
  const now = theme.value
  const next = NEXT[now]
  const { themes } = texts.head
  return (
    <Button
      look="quiet"
      icon={ICONS[now]}
      label={texts.head.theme(themes[now], themes[next])}
      onClick={() => chooseTheme(next)}
    />
  )
}

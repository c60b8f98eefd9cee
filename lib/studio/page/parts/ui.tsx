import type { ButtonHTMLAttributes, ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { messageOf } from '../desk.js'
import { texts } from '../texts.js'
import { Icon, type IconName } from './icons.js'

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'icon' | 'type'> & {
  icon?: IconName
  look?: 'plain' | 'primary' | 'quiet' | 'danger' | 'danger quiet'
  /** Said to those who do not see the icon, where there is no text. */
  label?: string
  busy?: boolean
  submit?: boolean
  children?: ComponentChildren
}

export function Button({ icon, look = 'plain', label, busy, submit, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type={submit ? 'submit' : 'button'}
      class={`button ${look}${children === undefined ? ' bare' : ''}`}
      aria-label={label}
      title={rest.title ?? label}
      aria-busy={busy || undefined}
      disabled={disabled || busy}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

/** A link that looks like a button. */
export function LinkButton(props: { href: string; icon?: IconName; look?: string; children: ComponentChildren }) {
  return (
    <a class={`button ${props.look ?? 'plain'}`} href={props.href}>
      {props.icon && <Icon name={props.icon} />}
      {props.children}
    </a>
  )
}

/** A part of a screen with a heading. */
export function Panel(props: {
  title: ComponentChildren
  actions?: ComponentChildren
  class?: string
  children?: ComponentChildren
}) {
  const id = useId()
  return (
    <section class={`panel ${props.class ?? ''}`} aria-labelledby={id}>
      <header class="panel-head">
        <h2 id={id}>{props.title}</h2>
        {props.actions && <div class="actions">{props.actions}</div>}
      </header>
      {props.children}
    </section>
  )
}

/** Nothing is here yet: what it will be, and how to get it. */
export function Empty(props: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={props.icon} />
      </span>
      <p class="empty-title">{props.title}</p>
      <div class="empty-text">{props.children}</div>
    </div>
  )
}

/** It did not work: why, and again. */
export function Failure(props: { error: unknown; again?: () => void }) {
  return (
    <div class="failure" role="alert">
      <Icon name="warning" />
      <pre class="message">{messageOf(props.error)}</pre>
      {props.again && (
        <Button onClick={props.again} icon="play">
          {texts.again}
        </Button>
      )}
    </div>
  )
}

/** Something is on its way: the room it will take. */
export function Waiting(props: { lines?: number; label?: string }) {
  return (
    <div class="waiting" role="status">
      <span class="hidden">{props.label ?? texts.loading}</span>
      {Array.from({ length: props.lines ?? 3 }, (_, line) => (
        <span key={line} class="bone" />
      ))}
    </div>
  )
}

export function Progress(props: { value: number; label: string; live?: boolean }) {
  const shown = Math.round(Math.min(1, Math.max(0, props.value)) * 100)
  return (
    <div
      class={props.live ? 'progress live' : 'progress'}
      role="progressbar"
      aria-label={props.label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={shown}
    >
      <span class="progress-bar" style={{ width: `${shown}%` }} />
    </div>
  )
}

/** A share as a bar: read with the number beside it. */
export function Bar(props: { value: number }) {
  return (
    <span class="bar" aria-hidden="true">
      <span style={{ width: `${Math.min(100, Math.max(0, props.value * 100))}%` }} />
    </span>
  )
}

/** One of a few, all in view. */
export function Choice<T extends string>(props: {
  label: string
  value: T
  options: readonly { readonly value: T; readonly label: ComponentChildren; readonly disabled?: boolean }[]
  onChange: (value: T) => void
}) {
  const name = useId()
  return (
    <fieldset class="choice">
      <legend class="hidden">{props.label}</legend>
      {props.options.map(option => (
        <label key={option.value} class="choice-item">
          <input
            type="radio"
            name={name}
            checked={option.value === props.value}
            disabled={option.disabled}
            onChange={() => props.onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  )
}

/** A window over the page; Escape and a click beside it close it. */
export function Dialog(props: {
  title: string
  open: boolean
  wide?: boolean
  onClose: () => void
  children?: ComponentChildren
  footer?: ComponentChildren
}) {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const dialog = ref.current
    if (!dialog) return
    if (props.open && !dialog.open) dialog.showModal()
    if (!props.open && dialog.open) dialog.close()
  }, [props.open])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      ref={ref}
      class={props.wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onClose={props.onClose}
      onClick={event => event.target === ref.current && props.onClose()}
    >
      {props.open && (
        <div class="dialog-body">
          <header class="panel-head">
            <h2 id={id}>{props.title}</h2>
            <Button icon="cross" look="quiet" label={texts.close} onClick={props.onClose} />
          </header>
          <div class="dialog-content">{props.children}</div>
          {props.footer && <footer class="dialog-foot">{props.footer}</footer>}
        </div>
      )}
    </dialog>
  )
}

/** What else can be done: opens under its button, closes by Escape or when the focus leaves it. */
export function Menu(props: { label: string; children: ComponentChildren }) {
  const ref = useRef<HTMLDetailsElement>(null)
  const close = (): void => ref.current?.removeAttribute('open')
  return (
    <details
      ref={ref}
      class="menu"
      onFocusOut={event => {
        if (!ref.current?.contains(event.relatedTarget as Node | null)) close()
      }}
      onKeyDown={event => {
        if (event.key !== 'Escape') return
        close()
        ref.current?.querySelector('summary')?.focus()
      }}
    >
      <summary class="button quiet bare" aria-label={props.label} title={props.label}>
        <Icon name="more" />
      </summary>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the buttons inside take the keys */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the buttons inside take the keys */}
      <div class="menu-list" onClick={close}>
        {props.children}
      </div>
    </details>
  )
}

/** Names and values, in two columns. */
export function Facts(props: {
  facts: readonly (readonly [name: string, value: ComponentChildren] | undefined | false)[]
}) {
  return (
    <dl class="facts">
      {props.facts.map(
        fact =>
          fact && (
            <div key={fact[0]}>
              <dt>{fact[0]}</dt>
              <dd>{fact[1]}</dd>
            </div>
          ),
      )}
    </dl>
  )
}

/** Pages of a long list. */
export function Pager(props: {
  label: string
  page: number
  perPage: number
  total: number
  onPage: (page: number) => void
}) {
  const pages = Math.max(1, Math.ceil(props.total / props.perPage))
  if (pages === 1) return null
  return (
    <nav class="pager" aria-label={texts.pagesOf(props.label)}>
      <Button
        icon="left"
        look="quiet"
        label={texts.pageBefore}
        disabled={props.page === 0}
        onClick={() => props.onPage(props.page - 1)}
      />
      <span aria-live="polite">{texts.pageOf(props.page + 1, pages)}</span>
      <Button
        icon="right"
        look="quiet"
        label={texts.pageAfter}
        disabled={props.page >= pages - 1}
        onClick={() => props.onPage(props.page + 1)}
      />
    </nav>
  )
}

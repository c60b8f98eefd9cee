import type { ComponentChildren, JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import type { Sweep } from '../../api/index.js'
import { parseSweep, sweepText } from '../format.js'
import { texts } from '../texts.js'

interface FieldProps {
  readonly label: string
  /** Below the field: what it does, or what is wrong. */
  readonly hint?: ComponentChildren
  readonly fault?: string
}

/** A label, what belongs to it, and a sentence about it. */
function Field(
  props: FieldProps & {
    readonly children: (ids: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }) => JSX.Element
  },
) {
  const id = useId()
  const note = `${id}-note`
  const about = props.fault || props.hint
  return (
    <div class={props.fault ? 'field bad' : 'field'}>
      <label for={id}>{props.label}</label>
      {props.children({
        id,
        ...(about ? { 'aria-describedby': note } : {}),
        ...(props.fault ? { 'aria-invalid': true as const } : {}),
      })}
      {about && (
        <p class="field-note" id={note}>
          {about}
        </p>
      )}
    </div>
  )
}

export function TextField(
  props: FieldProps & {
    readonly value: string
    readonly onInput: (value: string) => void
    readonly placeholder?: string
    readonly list?: readonly string[]
    readonly required?: boolean
  },
) {
  const list = useId()
  return (
    <Field {...props}>
      {ids => (
        <>
          <input
            {...ids}
            type="text"
            value={props.value}
            placeholder={props.placeholder}
            required={props.required}
            spellcheck={false}
            autocomplete="off"
            list={props.list ? list : undefined}
            onInput={event => props.onInput(event.currentTarget.value)}
          />
          {props.list && (
            <datalist id={list}>
              {props.list.map(value => (
                <option key={value} value={value} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  )
}

export function AreaField(
  props: FieldProps & { readonly value: string; readonly onInput: (value: string) => void; readonly rows?: number },
) {
  return (
    <Field {...props}>
      {ids => (
        <textarea
          {...ids}
          rows={props.rows ?? 3}
          value={props.value}
          onInput={event => props.onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  )
}

/** A number, or nothing where `value` may be left out. */
export function NumberField(
  props: FieldProps & {
    readonly value: number | undefined
    readonly onInput: (value: number | undefined) => void
    readonly min?: number
    readonly max?: number
    readonly step?: number
    readonly placeholder?: string
  },
) {
  return (
    <Field {...props}>
      {ids => (
        <input
          {...ids}
          type="number"
          value={props.value ?? ''}
          min={props.min}
          max={props.max}
          step={props.step ?? 'any'}
          placeholder={props.placeholder}
          onInput={event => {
            const { value } = event.currentTarget
            props.onInput(value === '' ? undefined : Number(value))
          }}
        />
      )}
    </Field>
  )
}

/** A number, or several with commas between: each makes a job. */
export function SweepField(
  props: FieldProps & {
    readonly value: Sweep | undefined
    readonly onInput: (value: Sweep | undefined) => void
    readonly placeholder?: string
  },
) {
  const [text, setText] = useState(sweepText(props.value))
  const parsed = parseSweep(text)
  // somebody else set it: a cloned form, a standard net's settings
  const shown = sweepText(parsed) === sweepText(props.value) ? text : sweepText(props.value)
  const wrong = text.trim() !== '' && parsed === undefined
  const several = Array.isArray(props.value) && props.value.length > 1
  return (
    <Field
      label={props.label}
      fault={props.fault ?? (wrong && shown === text ? texts.form.notNumbers : undefined)}
      hint={several ? texts.form.makesJobs(props.value.length) : props.hint}
    >
      {ids => (
        <input
          {...ids}
          type="text"
          inputMode="decimal"
          autocomplete="off"
          value={shown}
          placeholder={props.placeholder}
          onInput={event => {
            setText(event.currentTarget.value)
            props.onInput(parseSweep(event.currentTarget.value))
          }}
        />
      )}
    </Field>
  )
}

export function SelectField<T extends string>(
  props: FieldProps & {
    readonly value: T
    readonly options: readonly { readonly value: T; readonly label: string; readonly disabled?: boolean }[]
    readonly onChange: (value: T) => void
  },
) {
  return (
    <Field {...props}>
      {ids => (
        <select {...ids} value={props.value} onChange={event => props.onChange(event.currentTarget.value as T)}>
          {props.options.map(option => (
            <option key={option.value} value={option.value} disabled={option.disabled}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

export function Check(props: {
  readonly label: ComponentChildren
  readonly checked: boolean
  readonly disabled?: boolean
  readonly onChange: (checked: boolean) => void
}) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={props.checked}
        disabled={props.disabled}
        onChange={event => props.onChange(event.currentTarget.checked)}
      />
      <span>{props.label}</span>
    </label>
  )
}

/** Fields side by side, as many as fit. */
export const Row = (props: { children: ComponentChildren }) => <div class="field-row">{props.children}</div>

import { type ModelForm, StudioError } from '../api/index.js'

/** Fields of which several values make several jobs, by the names that these get. */
const SWEPT = {
  batch: 'batch',
  seed: 'seed',
  'solver.rate': 'rate',
  'solver.momentum': 'momentum',
  'solver.decay': 'decay',
  'solver.policy.gamma': 'gamma',
  'solver.policy.power': 'power',
  'solver.policy.share': 'share',
} as const

/** More jobs than this are a mistake. */
const MOST = 100

type Fields = { [field: string]: unknown }

/** A form for every combination of its values; the names say in what they differ. */
export function swept(form: ModelForm): ModelForm[] {
  let forms: { form: ModelForm; label: string }[] = [{ form, label: '' }]
  for (const [path, name] of Object.entries(SWEPT)) {
    const given = valueAt(form, path)
    if (!Array.isArray(given)) continue
    const values = [...new Set(given as number[])]
    if (!values.length) throw new StudioError(`${path} has no value`, 422, [{ path, message: 'a value is missing' }])
    if (forms.length * values.length > MOST)
      throw new StudioError(`${path}: the values would make more than ${MOST} jobs`, 422, [
        { path, message: `the values would make ${forms.length * values.length} jobs, more than ${MOST}` },
      ])
    forms = forms.flatMap(({ form: base, label }) =>
      values.map(value => ({
        form: withValue(base, path, value),
        label: values.length > 1 ? `${label}${label && ', '}${name} ${value}` : label,
      })),
    )
  }
  return forms.map(({ form, label }) => (label ? { ...form, name: `${form.name} (${label})` } : form))
}

const valueAt = (form: object, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (value as Fields | undefined)?.[name], form)

function withValue<T extends object>(form: T, path: string, value: unknown): T {
  const [name, ...rest] = path.split('.')
  const inner = rest.length ? withValue((form as Fields)[name] as object, rest.join('.'), value) : value
  return { ...form, [name]: inner }
}

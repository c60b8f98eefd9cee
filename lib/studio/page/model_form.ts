import type { JobId, ModelForm, RateForm, Sweep } from '../api/index.js'

/** What a new model begins with: settings that most small nets learn with. */
export const emptyForm = (dataset: JobId): ModelForm => ({
  name: '',
  dataset,
  net: '',
  epochs: 10,
  testEvery: 1,
  snapshotEvery: 1,
  seed: 1,
  solver: {
    type: 'SGD',
    rate: 0.01,
    policy: { policy: 'step', gamma: 0.1, share: 0.33 },
    momentum: 0.9,
    decay: 0.0005,
  },
})

/** A policy's settings to begin with. */
export const POLICIES: { readonly [P in RateForm['policy']]: Extract<RateForm, { policy: P }> } = {
  fixed: { policy: 'fixed' },
  step: { policy: 'step', gamma: 0.1, share: 0.33 },
  multistep: { policy: 'multistep', gamma: 0.1, shares: [0.5, 0.75] },
  exp: { policy: 'exp', gamma: 0.9999 },
  inv: { policy: 'inv', gamma: 0.0001, power: 0.75 },
  poly: { policy: 'poly', power: 2 },
  sigmoid: { policy: 'sigmoid', gamma: 0.001, share: 0.5 },
  cosine: { policy: 'cosine' },
  plateau: { policy: 'plateau', gamma: 0.1, tests: 5 },
}

/** Which settings a solver's type has. */
export const SOLVER_FIELDS: Readonly<
  Record<ModelForm['solver']['type'], readonly ('momentum' | 'momentum2' | 'delta')[]>
> = {
  SGD: ['momentum'],
  Nesterov: ['momentum'],
  AdaGrad: ['delta'],
  RMSProp: ['delta'],
  AdaDelta: ['momentum', 'delta'],
  Adam: ['momentum', 'momentum2', 'delta'],
}

const lengthOf = (value: Sweep | undefined): number => (Array.isArray(value) ? Math.max(1, value.length) : 1)

/** How many jobs the form makes: one for each way to choose among its lists of values. */
export function jobsMade(form: ModelForm): number {
  const { policy, rate, momentum, decay } = form.solver
  const sweeps: (Sweep | undefined)[] = [form.batch, form.seed, rate, momentum, decay]
  // the shares of multistep are one setting, not several values of it
  for (const [name, value] of Object.entries(policy))
    if (name !== 'policy' && name !== 'shares') sweeps.push(value as Sweep)
  return sweeps.reduce<number>((product, value) => product * lengthOf(value), 1)
}

/** The form without what was emptied: the other side knows what is usual then. */
export function withoutGaps<T extends object>(form: T): T {
  return JSON.parse(JSON.stringify(form)) as T
}

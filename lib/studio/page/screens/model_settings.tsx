import { useEffect, useRef } from 'preact/hooks'
import type { JobSummary, ModelForm, RateForm, StudioError, Sweep } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { parseSweep, sweepText } from '../format.js'
import { useLoad, useSettled } from '../hooks.js'
import { jobsMade, POLICIES, SOLVER_FIELDS, withoutGaps } from '../model_form.js'
import { Chart } from '../parts/chart.js'
import { Check, NumberField, Row, SelectField, SweepField, TextField } from '../parts/fields.js'
import { Failure, Panel, Waiting } from '../parts/ui.js'
import { texts } from '../texts.js'

type Change = (some: Partial<ModelForm>) => void

/** How a net is trained. */
export function ModelSettings(props: {
  form: ModelForm
  datasets: readonly JobSummary[]
  onChange: Change
  faults: StudioError | undefined
  /** The net can be built. */
  sound: boolean
}) {
  const { form, onChange } = props
  const t = texts.newModel
  const fault = (path: string): string | undefined => props.faults?.faults.find(one => one.path === path)?.message
  return (
    <div class="stack settings">
      <Panel title={t.data}>
        <SelectField
          label={t.dataset}
          value={form.dataset}
          fault={fault('dataset')}
          onChange={dataset => onChange({ dataset })}
          options={[
            { value: '', label: t.chooseDataset, disabled: true },
            ...props.datasets.map(job => ({
              value: job.id,
              label: job.state === 'done' ? job.name : `${job.name} (${texts.states[job.state]})`,
            })),
          ]}
        />
        <Row>
          <SelectField
            label={t.mean}
            value={form.mean ?? 'pixel'}
            onChange={mean => onChange({ mean })}
            options={t.means.map(([value, label]) => ({ value, label }))}
          />
          <NumberField
            label={t.crop}
            value={form.crop}
            min={1}
            step={1}
            placeholder={t.noCrop}
            fault={fault('crop')}
            onInput={crop => onChange({ crop })}
          />
        </Row>
        <Check label={t.mirror} checked={form.mirror ?? false} onChange={mirror => onChange({ mirror })} />
      </Panel>
      <Panel title={t.training}>
        <Row>
          <NumberField
            label={t.epochs}
            value={form.epochs}
            min={0}
            fault={fault('epochs')}
            onInput={epochs => onChange({ epochs: epochs ?? 1 })}
          />
          <NumberField
            label={t.testEvery}
            value={form.testEvery ?? 1}
            min={0}
            onInput={testEvery => onChange({ testEvery })}
          />
          <NumberField
            label={t.snapshotEvery}
            value={form.snapshotEvery ?? 1}
            min={0}
            onInput={snapshotEvery => onChange({ snapshotEvery })}
          />
          <NumberField label={t.keep} value={form.keep ?? 2} min={1} step={1} onInput={keep => onChange({ keep })} />
          <SweepField
            label={t.batch}
            value={form.batch}
            placeholder={t.asNetSays}
            fault={fault('batch')}
            onInput={batch => onChange({ batch })}
          />
          <NumberField
            label={t.accumulate}
            value={form.accumulate ?? 1}
            min={1}
            step={1}
            onInput={accumulate => onChange({ accumulate })}
          />
          <SweepField label={t.seed} value={form.seed} onInput={seed => onChange({ seed })} />
          <NumberField
            label={t.patience}
            value={form.patience}
            min={1}
            step={1}
            placeholder={t.never}
            onInput={patience => onChange({ patience })}
          />
        </Row>
      </Panel>
      <SolverPanel form={form} onChange={onChange} fault={fault} sound={props.sound} />
      <EnginePanel form={form} onChange={onChange} />
    </div>
  )
}

function SolverPanel(props: {
  form: ModelForm
  onChange: Change
  fault: (path: string) => string | undefined
  sound: boolean
}) {
  const { form, fault } = props
  const t = texts.newModel
  const { solver } = form
  const set = (some: Partial<ModelForm['solver']>): void => props.onChange({ solver: { ...solver, ...some } })
  const own = SOLVER_FIELDS[solver.type]
  return (
    <Panel title={t.solver}>
      <Row>
        <SelectField
          label={t.solverType}
          value={solver.type}
          onChange={type => set({ type })}
          options={(Object.keys(SOLVER_FIELDS) as ModelForm['solver']['type'][]).map(value => ({
            value,
            label: value,
          }))}
        />
        <SweepField
          label={t.rate}
          value={solver.rate}
          hint={t.rateHint}
          fault={fault('solver.rate')}
          onInput={rate => set({ rate: rate ?? 0.01 })}
        />
        <SelectField
          label={t.policy}
          value={solver.policy.policy}
          onChange={policy => set({ policy: POLICIES[policy] })}
          options={t.policies.map(([value, label]) => ({ value, label }))}
        />
        <PolicyFields policy={solver.policy} onChange={policy => set({ policy })} />
        {own.includes('momentum') && (
          <SweepField label={t.momentum} value={solver.momentum} onInput={momentum => set({ momentum })} />
        )}
        {own.includes('momentum2') && (
          <NumberField
            label={t.momentum2}
            value={solver.momentum2}
            placeholder="0.999"
            onInput={momentum2 => set({ momentum2 })}
          />
        )}
        {own.includes('delta') && (
          <NumberField label={t.delta} value={solver.delta} placeholder="1e-8" onInput={delta => set({ delta })} />
        )}
        <SweepField label={t.decay} value={solver.decay} onInput={decay => set({ decay })} />
        <NumberField label={t.clip} value={solver.clip} placeholder={t.never} onInput={clip => set({ clip })} />
      </Row>
      <RateCurve form={form} sound={props.sound} />
    </Panel>
  )
}

/** The fields that a policy has. */
function PolicyFields({ policy, onChange }: { policy: RateForm; onChange: (policy: RateForm) => void }) {
  const t = texts.newModel
  const set = (some: object): void => onChange({ ...policy, ...some } as RateForm)
  const sweep = (name: 'gamma' | 'power' | 'share', label: string) => {
    const value = (policy as unknown as Readonly<Record<string, Sweep | undefined>>)[name]
    return value === undefined ? null : (
      <SweepField
        key={name}
        label={label}
        value={value}
        onInput={next => next !== undefined && set({ [name]: next })}
      />
    )
  }
  return (
    <>
      {sweep('gamma', t.gamma)}
      {sweep('power', t.power)}
      {sweep('share', t.share)}
      {policy.policy === 'multistep' && (
        <TextField
          label={t.shares}
          value={sweepText(policy.shares)}
          onInput={text => {
            const parsed = parseSweep(text)
            if (parsed !== undefined) set({ shares: typeof parsed === 'number' ? [parsed] : parsed })
          }}
        />
      )}
      {policy.policy === 'plateau' && (
        <NumberField
          label={t.tests}
          value={policy.tests}
          min={1}
          step={1}
          onInput={tests => set({ tests: tests ?? 1 })}
        />
      )}
    </>
  )
}

/** How the rate goes over the training. */
function RateCurve({ form, sound }: { form: ModelForm; sound: boolean }) {
  const { studio } = useDesk()
  // a text that is broken while one types keeps the curve that it had
  const last = useRef('')
  if (sound && form.dataset && form.net)
    last.current = JSON.stringify({ ...form, name: form.name || 'preview', layers: undefined })
  const key = useSettled(last.current, 500)
  const preview = useLoad(key ? () => studio.previewSolver(JSON.parse(key) as ModelForm) : undefined, [key])
  if (!key) return <p class="muted">{texts.newModel.noCurve}</p>
  if (preview.error !== undefined) return <Failure error={preview.error} />
  if (!preview.value) return <Waiting lines={2} />
  const { iters, rates, maxIter, solver } = preview.value
  return (
    <>
      <Chart
        title={texts.newModel.curve}
        xLabel={texts.training.iteration}
        height={120}
        plain
        lines={[{ label: 'lr', x: iters, y: rates, axis: 'left', color: 4 }]}
      />
      <details class="numbers">
        <summary>{texts.newModel.solverText(maxIter)}</summary>
        <pre class="text" tabIndex={0}>
          {solver}
        </pre>
      </details>
      {jobsMade(withoutGaps(form)) > 1 && <p class="muted">{texts.newModel.curveOfFirst}</p>}
    </>
  )
}

function EnginePanel({ form, onChange }: { form: ModelForm; onChange: Change }) {
  const desk = useDesk()
  const { info } = desk
  useEffect(() => void desk.look(), [desk])
  const t = texts.newModel
  const engines = info.value?.engines ?? ['wasm']
  return (
    <Panel title={t.machine}>
      <Row>
        <SelectField
          label={t.engine}
          value={form.engine ?? 'wasm'}
          hint={form.engine === 'native' ? t.nativeHint : undefined}
          onChange={engine => onChange({ engine })}
          options={engines.map(value => ({ value: value as NonNullable<ModelForm['engine']>, label: value }))}
        />
        <NumberField
          label={t.threads}
          value={form.threads}
          min={1}
          max={info.value?.cores}
          step={1}
          placeholder={t.allThreads}
          hint={info.value?.threads === false ? t.oneThread : undefined}
          onInput={threads => onChange({ threads })}
        />
      </Row>
    </Panel>
  )
}

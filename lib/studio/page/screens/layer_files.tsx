import { useState } from 'preact/hooks'
import type { LayerReport } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { count } from '../format.js'
import { DropZone } from '../parts/drop_zone.js'
import { Editor } from '../parts/editor/editor.js'
import { Icon, type IconName } from '../parts/icons.js'
import { Button, Failure } from '../parts/ui.js'
import { texts } from '../texts.js'

type Verdict = LayerReport['layers'][number]['verdict']
const ICONS: Record<Verdict, IconName> = { passed: 'check', 'on purpose': 'check', failed: 'cross', none: 'info' }

/** Files of custom layers: written, dropped, checked. */
export function LayerFiles(props: {
  layers: Readonly<Record<string, string>>
  onChange: (layers: Readonly<Record<string, string>>) => void
}) {
  const { layers, onChange } = props
  const desk = useDesk()
  const names = Object.keys(layers)
  const [shown, setShown] = useState(names[0] ?? '')
  const [report, setReport] = useState<{ of: typeof layers; report?: LayerReport; error?: unknown }>()
  const [busy, setBusy] = useState(false)
  const name = names.includes(shown) ? shown : names[0]
  const current = report?.of === layers ? report : undefined

  const take = async (files: readonly { path: string; file: File }[]): Promise<void> => {
    const read = await Promise.all(
      files.map(async ({ path, file }) => [path.split('/').at(-1)!, await file.text()] as const),
    )
    const next = { ...layers, ...Object.fromEntries(read) }
    onChange(next)
    setShown(read[0]?.[0] ?? shown)
  }
  const check = async (): Promise<void> => {
    setBusy(true)
    try {
      setReport({ of: layers, report: await desk.studio.checkLayers(layers) })
    } catch (error) {
      setReport({ of: layers, error })
    } finally {
      setBusy(false)
    }
  }
  const add = (): void => {
    const free = names.includes('own_layer.ts') ? `own_layer_${names.length + 1}.ts` : 'own_layer.ts'
    onChange({ ...layers, [free]: texts.layerFiles.template })
    setShown(free)
  }
  return (
    <div class="layer-files">
      <div class="filters">
        {names.map(file => (
          <span key={file} class="file-tab">
            <button type="button" class="link" aria-pressed={file === name} onClick={() => setShown(file)}>
              {file}
            </button>
            <Button
              look="quiet"
              icon="cross"
              label={texts.layerFiles.remove(file)}
              onClick={() => onChange(Object.fromEntries(Object.entries(layers).filter(([other]) => other !== file)))}
            />
          </span>
        ))}
        <Button icon="plus" onClick={add}>
          {texts.layerFiles.add}
        </Button>
        {names.length > 0 && (
          <Button look="primary" icon="check" busy={busy} onClick={() => void check()}>
            {texts.layerFiles.check}
          </Button>
        )}
      </div>
      {name ? (
        <Editor
          key={name}
          label={texts.layerFiles.editor(name)}
          language="typescript"
          value={layers[name]}
          marks={current?.report?.marks.filter(mark => mark.file === name)}
          onInput={text => onChange({ ...layers, [name]: text })}
        />
      ) : (
        <p class="muted">{texts.layerFiles.none}</p>
      )}
      <div aria-live="polite">
        {current?.error !== undefined && <Failure error={current.error} />}
        {current?.report && <Report report={current.report} />}
      </div>
      <DropZone label={texts.layerFiles.drop} accept=".ts,.js,.mjs" files={[]} onFiles={files => void take(files)} />
    </div>
  )
}

function Report({ report }: { report: LayerReport }) {
  const errors = report.marks.filter(mark => mark.severity === 'error')
  return (
    <ul class="report">
      <li class={errors.length ? 'failed' : 'passed'}>
        <Icon name={errors.length ? 'cross' : 'check'} />
        {errors.length ? texts.layerFiles.doesNotCompile(errors.length) : texts.layerFiles.compiles}
      </li>
      {errors.map(mark => (
        <li key={`${mark.file} ${mark.line} ${mark.message}`} class="failed">
          <code>
            {mark.file}
            {mark.line !== undefined && `:${mark.line}`}
          </code>{' '}
          {mark.message}
        </li>
      ))}
      {report.layers.map(layer => (
        <li key={`${layer.file} ${layer.type}`} class={layer.verdict === 'failed' ? 'failed' : 'passed'}>
          <Icon name={ICONS[layer.verdict]} />
          <span>
            <strong>{layer.type}</strong> {texts.layerFiles.verdicts[layer.verdict](count(layer.derivatives))}
            {layer.message && <span class="muted"> {layer.message}</span>}
          </span>
        </li>
      ))}
      {!errors.length && report.layers.length === 0 && <li class="failed">{texts.layerFiles.noClasses}</li>}
    </ul>
  )
}

import { useMemo, useState } from 'preact/hooks'
import { type DatasetForm, type DatasetSource, type JobId, type Place, StudioError } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { count } from '../format.js'
import { useCopy, useLoad, useSettled } from '../hooks.js'
import { type Dropped, DropZone } from '../parts/drop_zone.js'
import { Check, NumberField, Row, SelectField, TextField } from '../parts/fields.js'
import { BlobPicture } from '../parts/picture_grid.js'
import { Button, Choice, Empty, Failure, Panel, Waiting } from '../parts/ui.js'
import { go, jobRoute } from '../routes.js'
import { texts } from '../texts.js'

type From = DatasetSource['from']
type Settings = Omit<DatasetForm, 'source'>
const SOURCES: readonly From[] = ['folder', 'zip', 'idx', 'lists', 'lmdb']
const LISTS = ['train', 'val', 'test', 'labels'] as const

/** Where pictures come from, what becomes of them, and what that looks like. */
export function NewDataset({ from: cloned }: { from?: JobId }) {
  const desk = useDesk()
  const paths = desk.info.value?.paths ?? false
  const [from, setFrom] = useState<From>('folder')
  const [files, setFiles] = useState<readonly Dropped[]>([])
  const [upload, setUpload] = useState<{ name?: string; progress: number }>()
  const [path, setPath] = useState('')
  const [lists, setLists] = useState<Partial<Record<(typeof LISTS)[number], string>>>({ train: 'train.txt' })
  const [settings, setSettings] = useState<Settings>({ name: '' })
  const [faults, setFaults] = useState<StudioError>()
  const [busy, setBusy] = useState(false)
  const set = (some: Partial<Settings>): void => setSettings(last => ({ ...last, ...some }))

  const copying = useCopy(cloned, job =>
    desk.attempt(async () => {
      const { kind, form } = await desk.studio.clone(job)
      if (kind !== 'dataset') return
      const { source, ...rest } = form as DatasetForm
      setFrom(source.from)
      setSettings(rest)
      if ('path' in source.place) setPath(source.place.path)
      else setUpload({ name: source.place.upload, progress: 1 })
      if (source.from === 'lists' || source.from === 'lmdb') setLists({ ...source })
    }),
  )

  const send = async (dropped: readonly Dropped[]): Promise<void> => {
    setFiles(dropped)
    setUpload({ progress: 0 })
    const guess = guessSource(dropped)
    if (guess) setFrom(guess)
    if (!settings.name) set({ name: guessName(dropped) })
    const name = await desk.attempt(() =>
      desk.studio.upload(dropped, { onProgress: (bytes, total) => setUpload({ progress: total ? bytes / total : 0 }) }),
    )
    setUpload(name === undefined ? undefined : { name, progress: 1 })
  }

  const place: Place | undefined = upload?.name ? { upload: upload.name } : path ? { path } : undefined
  const form = useMemo((): DatasetForm | undefined => {
    if (!place) return undefined
    const source: DatasetSource =
      from === 'lists' || from === 'lmdb' ? { from, place, ...lists, train: lists.train ?? '' } : { from, place }
    return { ...settings, source }
  }, [upload?.name, path, from, lists, settings])
  const faultAt = (name: string): string | undefined =>
    faults?.faults.find(fault => fault.path === name || fault.path.endsWith(`.${name}`))?.message

  const create = async (): Promise<void> => {
    if (!form) return
    setBusy(true)
    setFaults(undefined)
    try {
      const [job] = await desk.studio.create('dataset', form)
      desk.put(job)
      go(jobRoute(job.id))
    } catch (error) {
      if (error instanceof StudioError) setFaults(error)
      desk.complain(error)
    } finally {
      setBusy(false)
    }
  }

  if (copying)
    return (
      <main class="screen">
        <h1>{texts.newDataset.title}</h1>
        <Waiting lines={8} />
      </main>
    )
  return (
    <main class="screen">
      <div class="screen-head">
        <h1>{texts.newDataset.title}</h1>
      </div>
      <form
        class="columns"
        onSubmit={event => {
          event.preventDefault()
          void create()
        }}
      >
        <div class="stack">
          <Panel title={texts.newDataset.source}>
            <Choice
              label={texts.newDataset.source}
              value={from}
              onChange={setFrom}
              options={SOURCES.map(value => ({ value, label: texts.sources[value].title }))}
            />
            <p class="muted">{texts.sources[from].note}</p>
            <DropZone
              label={texts.sources[from].drop}
              folders={from !== 'zip'}
              files={files}
              onFiles={dropped => void send(dropped)}
              progress={upload?.progress}
            />
            {paths && <PathField value={path} onInput={setPath} disabled={upload?.name !== undefined} />}
            {(from === 'lists' || from === 'lmdb') && (
              <Row>
                {LISTS.map(name => (
                  <TextField
                    key={name}
                    label={texts.newDataset.lists[name]}
                    value={lists[name] ?? ''}
                    fault={faultAt(name)}
                    onInput={value => setLists(last => ({ ...last, [name]: value || undefined }))}
                  />
                ))}
              </Row>
            )}
          </Panel>
          <Panel title={texts.newDataset.settings}>
            <Row>
              <SelectField
                label={texts.newDataset.color}
                value={settings.gray === undefined ? 'auto' : settings.gray ? 'grey' : 'color'}
                onChange={value => set({ gray: value === 'auto' ? undefined : value === 'grey' })}
                options={[
                  { value: 'auto', label: texts.newDataset.colorAuto },
                  { value: 'grey', label: texts.newDataset.grey },
                  { value: 'color', label: texts.newDataset.rgb },
                ]}
              />
              <NumberField
                label={texts.newDataset.width}
                value={settings.width}
                min={1}
                step={1}
                placeholder={texts.newDataset.asIs}
                fault={faultAt('width')}
                onInput={width => set({ width })}
              />
              <NumberField
                label={texts.newDataset.height}
                value={settings.height}
                min={1}
                step={1}
                placeholder={texts.newDataset.asIs}
                fault={faultAt('height')}
                onInput={height => set({ height })}
              />
              <SelectField
                label={texts.newDataset.resize}
                value={settings.resize ?? 'squash'}
                onChange={resize => set({ resize })}
                options={texts.resize.map(([value, label]) => ({ value, label }))}
              />
            </Row>
            <Row>
              <NumberField
                label={texts.newDataset.val}
                value={asPercent(settings.val, 25)}
                min={0}
                max={100}
                fault={faultAt('val')}
                onInput={value => set({ val: value === undefined ? undefined : value / 100 })}
              />
              <NumberField
                label={texts.newDataset.test}
                value={asPercent(settings.test, 0)}
                min={0}
                max={100}
                fault={faultAt('test')}
                onInput={value => set({ test: value === undefined ? undefined : value / 100 })}
              />
              <NumberField
                label={texts.newDataset.seed}
                value={settings.seed ?? 1}
                step={1}
                onInput={seed => set({ seed })}
              />
            </Row>
            <Check
              label={texts.newDataset.encode}
              checked={settings.encode === 'png'}
              onChange={on => set({ encode: on ? 'png' : undefined })}
            />
          </Panel>
        </div>
        <div class="stack">
          <Preview form={form} />
          <Panel title={texts.newDataset.name}>
            <Row>
              <TextField
                label={texts.form.name}
                value={settings.name}
                required
                fault={faultAt('name')}
                onInput={name => set({ name })}
              />
              <TextField
                label={texts.form.group}
                value={settings.group ?? ''}
                onInput={group => set({ group: group || undefined })}
              />
            </Row>
            {faults && faults.faults.length === 0 && <Failure error={faults} />}
            <div class="actions">
              <Button look="primary" submit busy={busy} disabled={!form || !settings.name}>
                {texts.form.create}
              </Button>
              {(!form || !settings.name) && (
                <span class="muted">{form ? texts.newDataset.noName : texts.newDataset.noSource}</span>
              )}
            </div>
          </Panel>
        </div>
      </form>
    </main>
  )
}

const asPercent = (share: number | undefined, otherwise: number): number =>
  share === undefined ? otherwise : Math.round(share * 10_000) / 100

/** A path on the server, with what goes on from it. */
function PathField(props: { value: string; onInput: (path: string) => void; disabled: boolean }) {
  const { studio } = useDesk()
  const prefix = useSettled(props.value, 150)
  const { value: found } = useLoad(() => studio.paths(prefix), [prefix])
  if (props.disabled) return null
  return (
    <TextField
      label={texts.newDataset.path}
      value={props.value}
      hint={texts.newDataset.pathHint}
      list={found?.map(({ path, folder }) => (folder ? `${path.replace(/\/$/, '')}/` : path))}
      onInput={props.onInput}
    />
  )
}

/** A few pictures before and after, and what would be left out. */
function Preview({ form }: { form: DatasetForm | undefined }) {
  const { studio } = useDesk()
  const key = useSettled(form ? JSON.stringify({ ...form, name: 'preview', group: undefined }) : '', 400)
  const preview = useLoad(key ? () => studio.previewDataset(JSON.parse(key) as DatasetForm) : undefined, [key])
  const { value } = preview
  return (
    <Panel title={texts.newDataset.preview}>
      <div aria-live="polite" aria-busy={preview.loading}>
        {!key && <Empty icon="grid" title={texts.newDataset.previewEmpty} />}
        {key && preview.error !== undefined && <Failure error={preview.error} again={preview.reload} />}
        {key && !value && preview.loading && <Waiting lines={4} />}
        {value && preview.error === undefined && (
          <>
            <p>
              {texts.newDataset.found(count(value.pictures), value.classes.length)}
              {value.classes.length > 0 && (
                <span class="muted">
                  {' '}
                  {value.classes.slice(0, 12).join(', ')}
                  {value.classes.length > 12 && ' …'}
                </span>
              )}
            </p>
            <ul class="before-after">
              {value.examples.map(example => (
                <li key={example.name}>
                  <figure>
                    <span class="pair">
                      <BlobPicture blob={example.before} title={texts.newDataset.before(example.name)} />
                      <span aria-hidden="true">→</span>
                      <BlobPicture blob={example.after} title={texts.newDataset.after(example.name)} />
                    </span>
                    <figcaption>{example.name}</figcaption>
                  </figure>
                </li>
              ))}
            </ul>
            {value.skipped.length > 0 && <Skipped files={value.skipped} />}
          </>
        )}
      </div>
    </Panel>
  )
}

/** Files that are left out, and why. */
export function Skipped({ files }: { files: readonly { readonly file: string; readonly reason: string }[] }) {
  return (
    <details class="skipped">
      <summary>{texts.newDataset.skipped(files.length)}</summary>
      <ul>
        {files.slice(0, 200).map(({ file, reason }) => (
          <li key={file}>
            <code>{file}</code> <span class="muted">{reason}</span>
          </li>
        ))}
      </ul>
      {files.length > 200 && <p class="muted">{texts.andMore(files.length - 200)}</p>}
    </details>
  )
}

/** What was probably dropped. */
function guessSource(files: readonly Dropped[]): From | undefined {
  if (files.length === 1 && /\.zip$/i.test(files[0].path)) return 'zip'
  if (files.some(({ path }) => /idx[13]-ubyte(\.gz)?$/.test(path))) return 'idx'
  if (files.some(({ path }) => /(^|\/)data\.mdb$/.test(path))) return 'lmdb'
  if (files.some(({ path }) => /\.(png|jpe?g|bmp|gif|webp)$/i.test(path) && path.includes('/'))) return 'folder'
  return undefined
}

const guessName = (files: readonly Dropped[]): string => {
  const [first] = files[0].path.split('/')
  return files.length > 1 && !files[0].path.includes('/') ? '' : first.replace(/\.\w+$/, '')
}

import { useState } from 'preact/hooks'
import type { Job } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { bytes } from '../format.js'
import { download, useLoad } from '../hooks.js'
import { Icon } from '../parts/icons.js'
import { Button, Dialog, Empty, Failure, Panel, Waiting } from '../parts/ui.js'
import { texts } from '../texts.js'

const TEXT = /\.(prototxt|txt|json|jsonl|ts|js|mjs|csv|log|md)$/
/** Longer texts are downloaded, not shown. */
const MOST_TEXT = 1_000_000

/** A path that a narrow screen parts after its folders. */
const Path = ({ path }: { path: string }) =>
  path.split('/').flatMap((part, depth) => (depth ? ['/', <wbr key={depth} />, part] : [part]))

/** A job's files: to read, or to take along. */
export function Files({ job }: { job: Job }) {
  const desk = useDesk()
  const [shown, setShown] = useState('')
  const { value, error, reload } = useLoad(() => desk.studio.files(job.id), [job.id, job.state])
  const text = useLoad(shown ? () => desk.studio.text(job.id, shown) : undefined, [job.id, shown])
  const take = (path: string): void =>
    void desk.attempt(async () => download(await desk.studio.address(job.id, path), path.split('/').at(-1)))
  return (
    <Panel title={texts.files.title}>
      {error !== undefined && <Failure error={error} again={reload} />}
      {!value && error === undefined && <Waiting lines={5} />}
      {value?.length === 0 && <Empty icon="folder" title={texts.files.none} />}
      {value && value.length > 0 && (
        <table class="table files">
          <thead>
            <tr>
              <th scope="col">{texts.files.name}</th>
              <th scope="col" class="number">
                {texts.files.size}
              </th>
              <th scope="col">
                <span class="hidden">{texts.jobs.actions}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {value.map(file => (
              <tr key={file.path}>
                <th scope="row">
                  <Icon name="file" />
                  {TEXT.test(file.path) && file.bytes <= MOST_TEXT ? (
                    <button type="button" class="link" onClick={() => setShown(file.path)}>
                      <Path path={file.path} />
                    </button>
                  ) : (
                    <Path path={file.path} />
                  )}
                </th>
                <td class="number">{bytes(file.bytes)}</td>
                <td>
                  <Button
                    look="quiet"
                    icon="down"
                    label={texts.files.download(file.path)}
                    onClick={() => take(file.path)}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Dialog title={shown} open={shown !== ''} wide onClose={() => setShown('')}>
        {text.error !== undefined && <Failure error={text.error} again={text.reload} />}
        {text.loading && <Waiting lines={6} />}
        {text.value !== undefined && !text.loading && (
          <pre class="text" tabIndex={0}>
            {text.value}
          </pre>
        )}
      </Dialog>
    </Panel>
  )
}

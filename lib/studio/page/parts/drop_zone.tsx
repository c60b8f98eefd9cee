import { useId, useState } from 'preact/hooks'
import { bytes, count } from '../format.js'
import { texts } from '../texts.js'
import { Icon } from './icons.js'

/** A file with its path inside what was dropped. */
export interface Dropped {
  readonly path: string
  readonly file: File
}

/** Files that a person drops or picks: single ones, or whole folders. */
export function DropZone(props: {
  readonly label: string
  readonly accept?: string
  readonly folders?: boolean
  readonly files: readonly Dropped[]
  readonly onFiles: (files: readonly Dropped[]) => void
  /** 0 … 1 while they are on their way. */
  readonly progress?: number
}) {
  const [over, setOver] = useState(false)
  const id = useId()
  const picked = (list: FileList | null): void => {
    if (list?.length) props.onFiles([...list].map(file => ({ path: file.webkitRelativePath || file.name, file })))
  }
  const total = props.files.reduce((sum, { file }) => sum + file.size, 0)
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the file inputs inside take the keys
    <div
      class={over ? 'drop over' : 'drop'}
      onDragOver={event => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={event => {
        event.preventDefault()
        setOver(false)
        if (event.dataTransfer) void filesOf(event.dataTransfer).then(props.onFiles)
      }}
    >
      <Icon name="up" />
      <p class="drop-text">
        {props.files.length ? (
          <>
            <strong>
              {props.files.length === 1 ? props.files[0].path : texts.drop.files(count(props.files.length))}
            </strong>
            <br />
            {bytes(total)}
            {props.progress !== undefined && props.progress < 1 && ` · ${texts.drop.sent(props.progress)}`}
          </>
        ) : (
          props.label
        )}
      </p>
      <div class="drop-actions">
        <label class="button plain" for={id}>
          {texts.drop.pick}
        </label>
        <input
          id={id}
          class="hidden"
          type="file"
          multiple
          accept={props.accept}
          onChange={event => picked(event.currentTarget.files)}
        />
        {props.folders && (
          <>
            <label class="button plain" for={`${id}-folder`}>
              {texts.drop.pickFolder}
            </label>
            <input
              id={`${id}-folder`}
              class="hidden"
              type="file"
              multiple
              {...{ webkitdirectory: true }}
              onChange={event => picked(event.currentTarget.files)}
            />
          </>
        )}
      </div>
    </div>
  )
}

/** All files of a drop, those of folders by their paths in these. */
export async function filesOf(transfer: DataTransfer): Promise<Dropped[]> {
  // entries are gone after the first wait
  const entries = [...transfer.items].map(item => item.webkitGetAsEntry?.() ?? null)
  if (!entries.some(Boolean)) return [...transfer.files].map(file => ({ path: file.name, file }))
  const found: Dropped[] = []
  for (const entry of entries) if (entry) await walk(entry, found)
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function walk(entry: FileSystemEntry, found: Dropped[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    found.push({ path: entry.fullPath.replace(/^\//, ''), file })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // a browser answers with a hundred at a time
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (!some.length) return
    for (const inner of some) await walk(inner, found)
  }
}

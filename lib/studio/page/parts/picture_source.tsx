import { useEffect, useState } from 'preact/hooks'
import type { DatasetResult, JobId, SetName, TestOneRequest } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { useLoad } from '../hooks.js'
import { texts } from '../texts.js'
import { type Dropped, DropZone } from './drop_zone.js'
import { NumberField, SelectField } from './fields.js'
import { Pad } from './pad.js'
import { Stored } from './picture_grid.js'
import { Button, Choice, Waiting } from './ui.js'

type Way = 'file' | 'pad' | 'set'
type Picture = TestOneRequest['picture']
/** A pad without a dataset to go by draws pictures of this size. */
const PAD_SIDE = 28

/** What became of a dataset, once it is known. */
export function useDataset(id: JobId | undefined): DatasetResult | undefined {
  const { studio } = useDesk()
  const { value } = useLoad(id ? () => studio.job(id) : undefined, [id])
  return value?.result?.kind === 'dataset' ? value.result : undefined
}

/** A picture to ask about: dropped, drawn, or one of the dataset by its number. */
export function PictureSource(props: {
  readonly dataset: JobId | undefined
  readonly result: DatasetResult | undefined
  /** None: another source was chosen, which has given nothing yet. */
  readonly onPicture: (picture: Picture | undefined) => void
}) {
  const { dataset, result, onPicture } = props
  const [way, setWay] = useState<Way>(dataset ? 'set' : 'file')
  const [files, setFiles] = useState<readonly Dropped[]>([])
  return (
    <>
      <Choice
        label={texts.model.testOne}
        value={way}
        onChange={chosen => {
          setWay(chosen)
          setFiles([])
          onPicture(undefined)
        }}
        options={[
          { value: 'file', label: texts.model.fromFile },
          { value: 'pad', label: texts.model.fromPad },
          { value: 'set', label: texts.model.fromSet, disabled: !dataset },
        ]}
      />
      {way === 'file' && (
        <DropZone
          label={texts.model.drop}
          accept="image/*"
          files={files}
          onFiles={dropped => {
            setFiles(dropped.slice(0, 1))
            void dropped[0]?.file.arrayBuffer().then(buffer => onPicture({ file: new Uint8Array(buffer) }))
          }}
        />
      )}
      {way === 'pad' && (
        <Pad
          width={result?.width ?? PAD_SIDE}
          height={result?.height ?? PAD_SIDE}
          channels={result?.channels ?? 1}
          onDraw={onPicture}
        />
      )}
      {way === 'set' && dataset && <FromSet dataset={dataset} result={result} onPicture={onPicture} />}
    </>
  )
}

/** A picture of a dataset, by its number. */
function FromSet(props: { dataset: JobId; result: DatasetResult | undefined; onPicture: (picture: Picture) => void }) {
  const sets = props.result ? (Object.keys(props.result.sets) as SetName[]) : []
  const [set, setSet] = useState<SetName>('val')
  const [item, setItem] = useState(0)
  const name = sets.includes(set) ? set : sets[0]
  const records = (name && props.result?.sets[name]?.records) ?? 0
  useEffect(() => {
    if (name && item < records) props.onPicture({ dataset: props.dataset, set: name, item })
  }, [props.dataset, name, item, records])
  if (!name) return <Waiting />
  return (
    <div class="from-set">
      <div class="picture-large">
        <Stored dataset={props.dataset} set={name} item={item} title={texts.model.item(item)} />
      </div>
      <SelectField
        label={texts.dataset.set}
        value={name}
        onChange={setSet}
        options={sets.map(value => ({ value, label: texts.sets[value] }))}
      />
      <NumberField
        label={texts.model.number(records)}
        value={item}
        min={0}
        max={records - 1}
        step={1}
        onInput={value => value !== undefined && value >= 0 && value < records && setItem(Math.floor(value))}
      />
      <Button icon="dice" onClick={() => setItem(Math.floor(Math.random() * records))}>
        {texts.model.another}
      </Button>
    </div>
  )
}

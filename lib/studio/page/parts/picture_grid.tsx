import type { ComponentChildren } from 'preact'
import type { JobId, SetName } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { useAddress, useLoad } from '../hooks.js'
import { texts } from '../texts.js'

export interface GridItem {
  readonly key: string
  readonly title: string
  readonly caption?: ComponentChildren
  readonly good?: boolean
  readonly picture?: { readonly dataset: JobId; readonly set: SetName; readonly item: number }
}

/** Pictures with a line below each; a click on one picks it. */
export function PictureGrid(props: {
  readonly label: string
  readonly items: readonly GridItem[]
  readonly onPick?: (item: GridItem) => void
}) {
  return (
    <ul class="pictures" aria-label={props.label}>
      {props.items.map(item => (
        <li key={item.key}>
          {props.onPick ? (
            <button type="button" class="picture" title={item.title} onClick={() => props.onPick?.(item)}>
              <Content {...item} />
            </button>
          ) : (
            <figure class="picture" title={item.title}>
              <Content {...item} />
            </figure>
          )}
        </li>
      ))}
    </ul>
  )
}

function Content(item: GridItem) {
  return (
    <>
      {item.picture ? (
        <Stored {...item.picture} title={item.title} />
      ) : (
        <span class="picture-none">{texts.noPicture}</span>
      )}
      {item.caption !== undefined && (
        <span class={item.good === undefined ? 'caption' : item.good ? 'caption good' : 'caption wrong'}>
          {item.caption}
        </span>
      )}
    </>
  )
}

/** A picture of a dataset. */
export function Stored(props: { dataset: JobId; set: SetName; item: number; title: string }) {
  const { studio } = useDesk()
  const { value, error } = useLoad(
    () => studio.picture(props.dataset, props.set, props.item),
    [props.dataset, props.set, props.item],
  )
  if (error) return <span class="picture-none">{texts.noPicture}</span>
  return <BlobPicture blob={value} title={props.title} />
}

export function BlobPicture(props: { blob: Blob | undefined; title: string; class?: string }) {
  const address = useAddress(props.blob)
  if (!address) return <span class="picture-none bone" />
  return <img class={`pixels ${props.class ?? ''}`} src={address} alt={props.title} decoding="async" />
}

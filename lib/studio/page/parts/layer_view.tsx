import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { LayerRow } from '../../api/index.js'
import { count, figure, shapeText } from '../format.js'
import { useWidth } from '../hooks.js'
import { texts } from '../texts.js'
import { Check } from './fields.js'
import { Spark } from './histogram.js'
import { enlarge, type LayerPicture, paint, planeAt, planeUnder } from './layer_pixels.js'
import type { PaletteName } from './palettes.js'
import { Dialog } from './ui.js'

/** The height from which a picture scrolls, in pixels: that of `.planes`. */
const HIGHEST = 420
/** What a window takes beside its plane. */
const FRAME = 90

/** What every layer did: a row a top or weight, with its picture and figures. */
export function LayerView({ rows }: { rows: readonly LayerRow[] }) {
  const [name, setName] = useState<PaletteName>('viridis')
  const [each, setEach] = useState(false)
  const [large, setLarge] = useState<{ row: LayerRow; plane: number }>()
  return (
    <div class="layers">
      <div class="layers-bar">
        <label class="inline">
          {texts.layers.colors}
          <select value={name} onChange={event => setName(event.currentTarget.value as PaletteName)}>
            <option value="viridis">viridis</option>
            <option value="cividis">cividis</option>
            <option value="grey">{texts.layers.grey}</option>
          </select>
        </label>
        <Check label={texts.layers.each} checked={each} onChange={setEach} />
      </div>
      <ol class="layer-rows">
        {rows.map(row => (
          <Row
            key={`${row.kind} ${row.layer} ${row.blob}`}
            row={row}
            palette={name}
            each={each}
            onPlane={plane => setLarge({ row, plane })}
          />
        ))}
      </ol>
      <Dialog
        title={large ? texts.layers.plane(large.row.blob, large.plane + 1, large.row.picture!.plane.count) : ''}
        open={large !== undefined}
        wide
        onClose={() => setLarge(undefined)}
      >
        {large && <Large row={large.row} plane={large.plane} palette={name} each={each} />}
      </Dialog>
    </div>
  )
}

function Row(props: { row: LayerRow; palette: PaletteName; each: boolean; onPlane: (plane: number) => void }) {
  const { row } = props
  return (
    <li class={`layer-row ${row.kind}`}>
      <div class="layer-head">
        <h3>{row.layer}</h3>
        <p class="muted">
          {row.kind === 'weights' ? texts.layers.weights(row.blob) : row.type}
          {row.kind === 'activation' && row.blob !== row.layer && ` → ${row.blob}`}
        </p>
        <p class="shape">{shapeText(row.shape)}</p>
      </div>
      <div class="layer-figures">
        <dl class="figures-list">
          <div>
            <dt>{texts.layers.mean}</dt>
            <dd title={String(row.mean)}>{figure(row.mean, 4)}</dd>
          </div>
          <div>
            <dt>{texts.layers.std}</dt>
            <dd title={String(row.std)}>{figure(row.std, 4)}</dd>
          </div>
          {row.milliseconds !== undefined && (
            <div>
              <dt>{texts.layers.time}</dt>
              <dd>{texts.layers.milliseconds(figure(row.milliseconds, 2))}</dd>
            </div>
          )}
          {row.notFinite > 0 && (
            <div class="bad">
              <dt>{texts.layers.notFinite}</dt>
              <dd>{count(row.notFinite)}</dd>
            </div>
          )}
        </dl>
        <Spark bins={row.histogram} min={row.min} max={row.max} />
      </div>
      <div class="layer-picture">
        {row.picture ? (
          <Planes {...props} picture={row.picture} />
        ) : (
          <p class="muted">{row.reason ?? texts.layers.noPicture}</p>
        )}
      </div>
    </li>
  )
}

function Planes(props: {
  row: LayerRow
  picture: LayerPicture
  palette: PaletteName
  each: boolean
  onPlane: (plane: number) => void
}) {
  const { picture, row } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const [room, box] = useWidth<HTMLButtonElement>()
  const colors = useMemo(() => paint(picture, props.palette, props.each), [picture, props.palette, props.each])
  useEffect(() => {
    canvas.current?.getContext('2d')?.putImageData(new ImageData(colors, picture.width, picture.height), 0, 0)
  }, [colors])
  // a vector of ten is not a speck, and what fits into the height is not cut
  const most = Math.max(6, Math.min(24, Math.floor(120 / picture.width)))
  const scale = enlarge(picture.width, room || 320, Math.max(1, Math.min(most, Math.floor(HIGHEST / picture.height))))
  return (
    <button
      ref={box}
      type="button"
      class="planes"
      aria-label={texts.layers.describe(row.blob, picture.plane.count, figure(row.mean, 3), figure(row.std, 3))}
      onClick={event => {
        const frame = canvas.current!.getBoundingClientRect()
        const x = Math.floor(((event.clientX - frame.x) / frame.width) * picture.width)
        const y = Math.floor(((event.clientY - frame.y) / frame.height) * picture.height)
        // by keyboard there is no place: the first one
        props.onPlane(event.detail === 0 ? 0 : (planeUnder(picture, x, y) ?? 0))
      }}
    >
      <canvas
        ref={canvas}
        class="pixels"
        width={picture.width}
        height={picture.height}
        style={{ width: `${picture.width * scale}px`, height: `${picture.height * scale}px` }}
      />
    </button>
  )
}

/** One plane as large as it fits, with the value under the pointer; arrow keys go from pixel to pixel. */
function Large(props: { row: LayerRow; plane: number; palette: PaletteName; each: boolean }) {
  const { row } = props
  const picture = row.picture!
  const canvas = useRef<HTMLCanvasElement>(null)
  const [plane, setPlane] = useState(props.plane)
  const [at, setAt] = useState({ x: 0, y: 0 })
  const { width, height } = picture.plane
  const { x: left, y: top } = planeAt(picture, plane)
  useEffect(() => {
    const colors = new ImageData(paint(picture, props.palette, props.each), picture.width, picture.height)
    canvas.current?.getContext('2d')?.putImageData(colors, -left, -top, left, top, width, height)
  }, [picture, plane, props.palette, props.each])
  const byte = picture.pixels[((top + at.y) * picture.width + left + at.x) * picture.channels]
  const value = row.min + (byte / 255) * (row.max - row.min)
  const scale = Math.max(1, Math.floor(Math.min(Math.min(560, innerWidth - FRAME) / width, 480 / height)))
  const move = (dx: number, dy: number): void =>
    setAt(last => ({
      x: Math.min(width - 1, Math.max(0, last.x + dx)),
      y: Math.min(height - 1, Math.max(0, last.y + dy)),
    }))
  return (
    <div class="plane-large">
      <div
        class="plane-frame"
        role="group"
        tabIndex={0}
        aria-label={texts.layers.pixelHelp}
        onKeyDown={event => {
          const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
          if (!step) return
          event.preventDefault()
          move(step[0], step[1])
        }}
      >
        <canvas
          ref={canvas}
          class="pixels"
          width={width}
          height={height}
          style={{ width: `${width * scale}px`, height: `${height * scale}px` }}
          onPointerMove={event => {
            const frame = event.currentTarget.getBoundingClientRect()
            setAt({
              x: Math.min(width - 1, Math.max(0, Math.floor(((event.clientX - frame.x) / frame.width) * width))),
              y: Math.min(height - 1, Math.max(0, Math.floor(((event.clientY - frame.y) / frame.height) * height))),
            })
          }}
        />
      </div>
      <p aria-live="polite">
        {texts.layers.pixel(at.x, at.y, picture.channels === 3 ? String(byte) : figure(value, 3))}
      </p>
      {picture.plane.count > 1 && (
        <label class="inline">
          {texts.layers.planeNumber}
          <input
            type="range"
            min={1}
            max={picture.plane.count}
            value={plane + 1}
            onInput={event => setPlane(event.currentTarget.valueAsNumber - 1)}
          />
          {plane + 1}
        </label>
      )}
    </div>
  )
}

import { useEffect, useRef, useState } from 'preact/hooks'
import { texts } from '../texts.js'
import { Button } from './ui.js'

/** Side of the drawing in pixels of its own. */
const SIDE = 280

/** What is drawn, as a net takes it. */
export interface Drawn {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly pixels: Uint8Array
}

/**
 * A surface to draw on, light strokes on black: by pointer, or by keyboard (arrows move the pen, space sets it down and
 * lifts it). What is drawn is told after each stroke's step, scaled to the size asked for.
 */
export function Pad(props: {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly onDraw: (drawn: Drawn) => void
}) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const pen = useRef({ x: SIDE / 2, y: SIDE / 4, down: false })
  const [cursor, setCursor] = useState<{ x: number; y: number; down: boolean }>()
  const context = () => canvas.current!.getContext('2d', { willReadFrequently: true })!
  const clear = (): void => {
    const paper = context()
    paper.fillStyle = '#000'
    paper.fillRect(0, 0, SIDE, SIDE)
  }
  useEffect(clear, [])
  const tell = (): void => props.onDraw(scaled(canvas.current!, props))
  const line = (x: number, y: number): void => {
    const ink = context()
    ink.strokeStyle = '#fff'
    ink.lineWidth = SIDE / 13
    ink.lineCap = 'round'
    ink.lineJoin = 'round'
    ink.beginPath()
    ink.moveTo(pen.current.x, pen.current.y)
    ink.lineTo(x, y)
    ink.stroke()
    tell()
  }
  const place = (event: PointerEvent): { x: number; y: number } => {
    const frame = canvas.current!.getBoundingClientRect()
    return {
      x: ((event.clientX - frame.x) / frame.width) * SIDE,
      y: ((event.clientY - frame.y) / frame.height) * SIDE,
    }
  }
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
    if (!step && event.key !== ' ') return
    event.preventDefault()
    const last = pen.current
    const size = SIDE / 28
    const next = step
      ? {
          x: Math.min(SIDE, Math.max(0, last.x + step[0] * size)),
          y: Math.min(SIDE, Math.max(0, last.y + step[1] * size)),
          down: last.down,
        }
      : { ...last, down: !last.down }
    if (next.down) line(next.x, next.y)
    pen.current = next
    setCursor(next)
  }
  return (
    <div class="pad">
      <div class="pad-frame">
        <canvas
          ref={canvas}
          width={SIDE}
          height={SIDE}
          tabIndex={0}
          role="img"
          aria-label={texts.pad.describe}
          onPointerDown={event => {
            event.currentTarget.setPointerCapture(event.pointerId)
            const { x, y } = place(event)
            pen.current = { x, y, down: true }
            line(x, y + 0.01)
          }}
          onPointerMove={event => {
            if (!pen.current.down || event.buttons === 0) return
            const { x, y } = place(event)
            line(x, y)
            pen.current = { x, y, down: true }
          }}
          onPointerUp={() => {
            pen.current = { ...pen.current, down: false }
          }}
          onKeyDown={key}
          onBlur={() => setCursor(undefined)}
        />
        {cursor && (
          <span
            class={cursor.down ? 'pad-pen down' : 'pad-pen'}
            style={{ left: `${(cursor.x / SIDE) * 100}%`, top: `${(cursor.y / SIDE) * 100}%` }}
          />
        )}
      </div>
      <Button
        icon="trash"
        onClick={() => {
          clear()
          tell()
        }}
      >
        {texts.pad.clear}
      </Button>
      <p class="muted">{texts.pad.help}</p>
    </div>
  )
}

/** The drawing at the net's size: halved until it is near, so that thin strokes are not lost. */
function scaled(
  canvas: HTMLCanvasElement,
  { width, height, channels }: { width: number; height: number; channels: 1 | 3 },
): Drawn {
  let from: HTMLCanvasElement | OffscreenCanvas = canvas
  for (let side = SIDE; ; ) {
    const next = side / 2 >= Math.max(width, height) ? side / 2 : 0
    const to = new OffscreenCanvas(next || width, next || height)
    const context = to.getContext('2d')!
    context.imageSmoothingQuality = 'high'
    context.drawImage(from, 0, 0, to.width, to.height)
    from = to
    if (!next) break
    side = next
  }
  const { data } = (from as OffscreenCanvas).getContext('2d')!.getImageData(0, 0, width, height)
  const count = width * height
  const pixels = new Uint8Array(count * channels)
  for (let at = 0; at < count; at++)
    for (let channel = 0; channel < channels; channel++) pixels[at * channels + channel] = data[4 * at + channel]
  return { width, height, channels, pixels }
}

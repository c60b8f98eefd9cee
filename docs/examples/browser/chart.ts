/** Room for the numbers around the lines, in pixels. */
const EDGE = 28

/** A line over iterations on a canvas, redrawn at most once a frame. */
export class Chart {
  private readonly points: [x: number, y: number][] = []
  private waiting = false

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly title: string,
    /** Range of y: fixed, or from 0 to the largest value. */
    private readonly top?: number,
  ) {
    this.draw()
  }

  add(x: number, y: number): void {
    this.points.push([x, y])
    if (this.waiting) return
    this.waiting = true
    requestAnimationFrame(() => {
      this.waiting = false
      this.draw()
    })
  }

  clear(): void {
    this.points.length = 0
    this.draw()
  }

  private draw(): void {
    const { canvas, points } = this
    const context = canvas.getContext('2d')!
    const { width, height } = canvas
    const edge = EDGE
    const right = Math.max(10, points.at(-1)?.[0] ?? 0)
    const top = this.top ?? Math.max(1, ...points.map(([, y]) => y))
    context.clearRect(0, 0, width, height)
    context.font = '12px system-ui, sans-serif'
    context.fillStyle = '#555'
    context.fillText(this.title, edge, 12)
    context.fillText(top.toPrecision(2), 0, edge)
    context.fillText('0', 12, height - edge + 4)
    context.fillText(String(right), width - 36, height - 8)
    context.strokeStyle = '#ccc'
    context.strokeRect(edge, edge - 8, width - edge - 8, height - 2 * edge + 8)
    context.strokeStyle = '#b5541c'
    context.lineWidth = 1.5
    context.beginPath()
    for (const [x, y] of points) context.lineTo(...this.place(x, y, right, top, 0))
    context.stroke()
    // a single point is no line
    context.fillStyle = '#b5541c'
    if (points.length < 50) for (const [x, y] of points) context.fillRect(...this.place(x, y, right, top, -1.5), 3, 3)
  }

  /** Where a point lies on the canvas, moved by `shift` pixels. */
  private place(x: number, y: number, right: number, top: number, shift: number): [number, number] {
    const { width, height } = this.canvas
    const across = EDGE + (x / right) * (width - EDGE - 8)
    const up = (Math.min(y, top) / top) * (height - 2 * EDGE + 8)
    return [across + shift, height - EDGE - up + shift]
  }
}

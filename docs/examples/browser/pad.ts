const SIDE = 28

/** A canvas to draw a digit on, white on black, with pen, finger or mouse. */
export class Pad {
  private readonly context: CanvasRenderingContext2D

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly changed: (pixels: Float32Array) => void,
  ) {
    this.context = canvas.getContext('2d', { willReadFrequently: true })!
    this.clear()
    let drawing = false
    const move = (event: PointerEvent) => {
      if (!drawing) return
      this.context.lineTo(event.offsetX, event.offsetY)
      this.context.stroke()
    }
    canvas.addEventListener('pointerdown', event => {
      drawing = true
      canvas.setPointerCapture(event.pointerId)
      this.context.beginPath()
      this.context.moveTo(event.offsetX, event.offsetY)
    })
    canvas.addEventListener('pointermove', move)
    canvas.addEventListener('pointerup', event => {
      move(event)
      drawing = false
      this.changed(this.pixels())
    })
  }

  clear(): void {
    const { context, canvas } = this
    context.fillStyle = 'black'
    context.fillRect(0, 0, canvas.width, canvas.height)
    context.strokeStyle = 'white'
    context.lineWidth = canvas.width / 13
    context.lineCap = 'round'
    context.lineJoin = 'round'
  }

  /** The drawing as MNIST has its digits: in a box of 20 × 20, its centre of mass in the middle of 28 × 28; 0 to 1. */
  pixels(): Float32Array {
    const { canvas, context } = this
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
    const box = { left: canvas.width, right: 0, top: canvas.height, bottom: 0 }
    let [sum, sumX, sumY] = [0, 0, 0]
    for (let y = 0, i = 0; y < canvas.height; y++)
      for (let x = 0; x < canvas.width; x++, i += 4) {
        const value = data[i]
        if (value === 0) continue
        sum += value
        sumX += value * x
        sumY += value * y
        box.left = Math.min(box.left, x)
        box.right = Math.max(box.right, x)
        box.top = Math.min(box.top, y)
        box.bottom = Math.max(box.bottom, y)
      }
    const small = new OffscreenCanvas(SIDE, SIDE).getContext('2d')!
    small.fillRect(0, 0, SIDE, SIDE)
    if (sum > 0) {
      const scale = 20 / Math.max(box.right - box.left + 1, box.bottom - box.top + 1)
      small.imageSmoothingQuality = 'high'
      small.setTransform(scale, 0, 0, scale, SIDE / 2 - scale * (sumX / sum), SIDE / 2 - scale * (sumY / sum))
      small.drawImage(canvas, 0, 0)
    }
    const pixels = small.getImageData(0, 0, SIDE, SIDE).data
    return Float32Array.from({ length: SIDE * SIDE }, (_, i) => pixels[4 * i] / 256)
  }
}

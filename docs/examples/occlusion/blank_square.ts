import { type Blob, Layer } from 'ristretto'

/**
 * Blanks a square of half the height and half the width at a random place, the same for the whole batch: occlusion,
 * which makes a net look at more than one part of a picture. Bottom and top: (…, H, W), any number of axes before them.
 * Made to work in place.
 */
export class BlankSquareLayer extends Layer {
  /** Passed whole, the blanked places' too. */
  static override readonly gradient: 'on purpose' | undefined = 'on purpose'
  override readonly bottomCount = { exactly: 1 }
  override readonly topCount = { exactly: 1 }

  override setup(bottom: Blob[]): void {
    if (bottom[0].numAxes < 3)
      throw this.error(`'${bottom[0].name}' needs at least 3 axes, the last two of them height and width`)
  }

  reshape(bottom: Blob[], top: Blob[]): void {
    top[0].reshapeLike(bottom[0])
  }

  forward(bottom: Blob[], top: Blob[]): void {
    const picture = top[0].dataArray
    if (top[0] !== bottom[0]) picture.set(bottom[0].dataArray)
    const height = top[0].dim(-2)
    const width = top[0].dim(-1)
    const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)]
    const [y, x] = this.corner(height - rows + 1, width - columns + 1)
    for (let plane = 0; plane < picture.length; plane += height * width)
      for (let row = y; row < y + rows; row++) {
        const start = plane + row * width + x
        picture.fill(0, start, start + columns)
      }
  }

  /**
   * Row and column of the square's upper left corner, of so many possible ones. The layer's own stream is a function of
   * the net's seed, the layer's name and the number of the pass: the same seed blanks the same squares.
   */
  protected corner(rows: number, columns: number): [row: number, column: number] {
    return [this.random.integer(rows), this.random.integer(columns)]
  }

  /** Doing nothing: in place, the gradient of the top is that of the bottom already. */
  override backward(_top: Blob[], _propagateDown: boolean[], _bottom: Blob[]): void {}
}

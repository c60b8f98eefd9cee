import type { Blob, Shape } from '../../blob.js'
import { type Count, Layer } from '../../layer.js'
import { givePlaces, type Places, takePlaces } from './places.js'

/** A layer whose top holds values of its bottom, each any number of times, axis by axis; plain host code. */
export abstract class PlacesLayer extends Layer {
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private input: Shape = []
  private places: Places = []
  /** What stands where no value of the bottom does. */
  protected readonly nothing: number = 0

  /** The place of the bottom that each place of the top takes, along every axis. */
  protected abstract placesOf(bottom: Blob): Places
  /** The shape of the top, where it is not one size for each axis of the places. */
  protected topShape(_bottom: Blob, places: Places): Shape {
    return places.map(table => table.length)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    this.input = bottom[0].shape
    this.places = this.placesOf(bottom[0])
    top[0].reshape(this.topShape(bottom[0], this.places))
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    takePlaces(this.input, this.places, bottom[0].dataArray, top[0].dataArray, this.nothing)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0]) givePlaces(this.input, this.places, top[0].diffArray, bottom[0].diffArray)
  }
}

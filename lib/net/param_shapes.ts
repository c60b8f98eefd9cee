import { sameShape, shapeText } from '../blob.js'
import { isBuiltIn } from '../registry.js'
import type { BuiltNet } from './node.js'

/** The shapes that layers gave their params: a program may write their values, not make them larger or smaller. */
export class ParamShapes {
  private readonly shapes: readonly (readonly number[])[]
  /** Blob versions at the last look. */
  private readonly seen: number[]

  constructor(private readonly built: BuiltNet) {
    this.shapes = built.params.map(({ blob }) => blob.shape)
    this.seen = built.params.map(({ blob }) => blob.version)
  }

  /** Throws a NetError for a param of another shape; layers of somebody else may give theirs new ones. */
  check(): void {
    const { params } = this.built
    for (let i = 0; i < params.length; i++) if (params[i].blob.version !== this.seen[i]) this.look(i)
  }

  private look(i: number): void {
    const { layer: key, index, blob } = this.built.params[i]
    const node = this.built.nodes.find(node => node.key === key)!
    if (isBuiltIn(node.layer.type) && !sameShape(blob.shape, this.shapes[i]))
      throw node.layer.error(
        `param ${index} was given the shape ${shapeText(blob.shape)}, the layer made it ${shapeText(this.shapes[i])}: make a net whose description says the new sizes, and copy the values`,
      )
    this.seen[i] = blob.version
  }
}

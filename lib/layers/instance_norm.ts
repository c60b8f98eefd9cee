import { GroupNormLayer } from './group_norm.js'

/** Each channel of each item normalized over space; scale and shift by channel. */
export class InstanceNormLayer extends GroupNormLayer {
  protected override groups(channels: number): number {
    const group = this.param.group_norm_param?.group
    if (group !== undefined)
      throw this.error(`group: ${group} is GroupNorm's: every channel is a part of its own here, leave it out`)
    return channels
  }
}

/** What to write instead of learning-rate policies that are told of elsewhere and are not here. */
import { NetError } from '../errors.js'
import { didYouMean } from '../system/names.js'

const OTHERS: readonly (readonly [names: RegExp, advice: string])[] = [
  [/^linear/, "'poly' with power: 1 goes down in a line"],
  [/cos|sgdr/, "'cosine' is half a wave from base_lr to min_lr, without restarts"],
  [/warm|ramp/, 'a warm-up stands in front of any policy: warmup_iter and warmup_start_lr'],
  [/plateau|loss/, "'plateau' lowers the rate when the loss has stopped falling: plateau_winsize, gamma"],
  [/triang|cycl|clr/, "rates that go up and down again are not made; 'multifixed' takes rates one by one"],
  [/multi|stage|piece/, "'multistep' takes stepvalue, 'multifixed' a rate for each of them"],
]

/** @param known the policies that there are */
export function unknownPolicy(name: string, known: readonly string[]): NetError {
  const other = OTHERS.find(([names]) => names.test(name))
  const advice = didYouMean(name, known) || (other ? `; ${other[1]}` : '')
  return new NetError(`solver: unknown lr_policy '${name}'${advice}; it may be ${known.join(', ')}`)
}

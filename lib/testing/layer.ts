import { type Blob, type Shape, shapeText } from '../blob.js'
import type { LayerClass } from '../layer.js'
import { aFlag, aLimit, anything, checkNeeded, type OptionRules, only } from '../system/check_options.js'
import { CheckError, indexIn, placeText } from './errors.js'
import { checkGradient, GRADIENT_RULES, type GradientOptions, type GradientReport } from './gradient.js'
import { type BottomSpec, LayerRig, optionsOf, valuesOf, write } from './rig.js'

/** What `checkLayer` checks, beside the gradient. */
export interface LayerOptions extends GradientOptions {
  /** false for a layer without a backward pass. */
  readonly backward?: boolean
  /**
   * Other bottoms of the same layer, for the reshape between passes; default: one more along axis 0. false: the layer
   * has one shape.
   */
  readonly reshapeTo?: readonly BottomSpec[] | false
  /** Check that the layer computes the same with top 0 in place of bottom 0. */
  readonly inPlace?: boolean
  /**
   * How far the engine may be from double precision: |got − expected| ≤ atol + rtol·|expected|. Default: 1e-4 and 1e-5.
   */
  readonly rtol?: number
  readonly atol?: number
}

const RULES: OptionRules<LayerOptions> = {
  ...GRADIENT_RULES,
  backward: aFlag,
  reshapeTo: anything,
  inPlace: aFlag,
  rtol: aLimit,
  atol: aLimit,
}

/** What was checked; a check that fails throws a CheckError instead. */
export interface LayerReport {
  /** The engine that ran. */
  readonly engine: string
  /** What was checked, in words. */
  readonly checks: readonly string[]
  /** The gradient check, run in double precision; none of a class that says `static gradient = 'on purpose'`. */
  readonly gradient?: GradientReport
}

/** What one forward and one backward left behind. */
interface Pass {
  readonly tops: readonly Float32Array[]
  readonly bottomDiffs: readonly Float32Array[]
  readonly paramDiffs: readonly Float32Array[]
}

/**
 * Try a layer on an engine the way a net uses it: repeatable passes, results and gradients as in double precision,
 * gradients as numeric ones, params' gradients added up, bottoms left alone, propagateDown obeyed, shapes changed
 * between passes. Throws a CheckError that says what is wrong.
 */
export async function checkLayer(layerClass: LayerClass, options: LayerOptions): Promise<LayerReport> {
  checkNeeded('checkLayer', options, RULES, ['bottoms'])
  const checks: string[] = []
  const rig = await LayerRig.create(layerClass, options)
  const check = new Check(rig, options)
  try {
    const first = await check.pass()
    check.finite(first)
    check.same(await check.pass(), first, 'a second pass', 0)
    checks.push('passes repeat bit for bit')
    await check.againstDouble(layerClass, first)
    checks.push('results and gradients are those of double precision')
    if (options.backward !== false) {
      await check.accumulates(first)
      await check.obeysPropagateDown()
      checks.push("params' gradients add up, bottoms' gradients are overwritten or left alone as asked")
    }
    if (options.reshapeTo !== false) {
      await check.reshapes(layerClass, options.reshapeTo ?? options.bottoms.map(oneMore), first)
      checks.push('shapes may change between passes')
    }
    if (options.inPlace) {
      await check.inPlace(layerClass, first)
      checks.push('works in place')
    }
    if (options.backward === false) return { engine: rig.engine.name, checks }
    if (layerClass.gradient === 'on purpose') {
      checks.push('its gradient is not that of its forward pass, on purpose: not held against differences')
      return { engine: rig.engine.name, checks }
    }
    const gradient = await checkGradient(layerClass, {
      ...only<GradientOptions>(options, GRADIENT_RULES),
      engine: 'js:float64',
    })
    checks.push(`${gradient.compared} derivatives agree with differences`)
    return { engine: rig.engine.name, checks, gradient }
  } finally {
    rig.dispose()
  }
}

class Check {
  private readonly backward: boolean

  constructor(
    private readonly rig: LayerRig,
    private readonly options: LayerOptions,
  ) {
    this.backward = options.backward !== false
  }

  /**
   * A forward and, if the layer has one, a backward from the same top gradients; the bottoms must keep their values.
   */
  async pass(rig = this.rig): Promise<Pass> {
    const before = await Promise.all(rig.bottom.map(blob => valuesOf(blob.memory.data)))
    await rig.forward()
    const tops = await Promise.all(rig.top.map(blob => valuesOf(blob.memory.data)))
    if (this.backward) {
      rig.clearParamDiffs()
      rig.seedTopDiffs()
      await rig.backward()
    }
    if (!rig.inPlace)
      for (const [i, blob] of rig.bottom.entries())
        this.compare(await valuesOf(blob.memory.data), before[i], blob, 'after a pass', 0)
    return {
      tops,
      bottomDiffs: await Promise.all(
        rig.bottom.filter((_, i) => rig.wanted[i]).map(blob => valuesOf(blob.memory.diff)),
      ),
      paramDiffs: await Promise.all(rig.layer.blobs.map(blob => valuesOf(blob.memory.diff))),
    }
  }

  finite(pass: Pass): void {
    pass.tops.forEach((values, t) => {
      const i = values.findIndex(value => !Number.isFinite(value))
      if (i >= 0) this.fail(this.rig.top[t], `top[${t}]`, i, `is ${values[i]}`)
    })
  }

  /** Every value of `got` within atol + rtol·|expected|, times `strictness`: 0 asks for equal bits. */
  same(got: Pass, expected: Pass, when: string, strictness: number): void {
    const { rig } = this
    got.tops.forEach((values, i) => {
      this.compare(values, expected.tops[i], rig.top[i], when, strictness, `top[${i}]`)
    })
    if (!this.backward) return
    const bottoms = rig.bottom.map((blob, i) => ({ blob, i })).filter(({ i }) => rig.wanted[i])
    bottoms.forEach(({ blob, i }, k) => {
      this.compare(got.bottomDiffs[k], expected.bottomDiffs[k], blob, when, strictness, `bottom[${i}].diff`)
    })
    rig.layer.blobs.forEach((blob, i) => {
      this.compare(got.paramDiffs[i], expected.paramDiffs[i], blob, when, strictness, `blobs[${i}].diff`)
    })
  }

  async againstDouble(layerClass: LayerClass, first: Pass): Promise<void> {
    const exact = await LayerRig.create(layerClass, { ...this.options, engine: 'js:float64' })
    try {
      this.same(first, await this.pass(exact), `on ${this.rig.engine.name}, against double precision`, 1)
    } finally {
      exact.dispose()
    }
  }

  async accumulates(first: Pass): Promise<void> {
    await this.rig.backward()
    for (const [i, blob] of this.rig.layer.blobs.entries()) {
      if (!this.rig.layer.paramPropagateDown[i]) continue
      const twice = first.paramDiffs[i].map(value => 2 * value)
      this.compare(
        await valuesOf(blob.memory.diff),
        twice,
        blob,
        'after a second backward, which adds to it,',
        1,
        `blobs[${i}].diff`,
      )
    }
  }

  /** Without propagateDown a bottom's diff keeps what was in it, and so do params that do not learn. */
  async obeysPropagateDown(): Promise<void> {
    const { rig } = this
    const marks = rig.bottom.map(blob => new Float32Array(blob.count).fill(42))
    const learns = [...rig.layer.paramPropagateDown]
    rig.layer.paramPropagateDown.fill(false)
    rig.clearParamDiffs()
    rig.bottom.forEach((blob, i) => {
      write(blob.memory.diff, marks[i])
    })
    // a bottom that shares its gradient with a top, as Flatten's does, has it already
    const own = rig.bottom.map(blob => !rig.top.some(top => top.memory.diff === blob.memory.diff))
    await rig.backward(rig.bottom.map(() => false))
    for (const [i, blob] of rig.bottom.entries())
      if (own[i])
        this.compare(
          await valuesOf(blob.memory.diff),
          marks[i],
          blob,
          'with propagateDown false, where backward leaves it alone,',
          0,
          `bottom[${i}].diff`,
        )
    for (const [i, blob] of rig.layer.blobs.entries())
      this.compare(
        await valuesOf(blob.memory.diff),
        new Float32Array(blob.count),
        blob,
        'with paramPropagateDown false',
        0,
        `blobs[${i}].diff`,
      )
    rig.layer.paramPropagateDown.splice(0, learns.length, ...learns)
  }

  /** Other bottoms give what a new layer gives for them, and the first bottoms then give what they gave. */
  async reshapes(layerClass: LayerClass, bottoms: readonly BottomSpec[], first: Pass): Promise<void> {
    const weights = await Promise.all(this.rig.layer.blobs.map(blob => valuesOf(blob.memory.data)))
    const fresh = await LayerRig.create(layerClass, { ...this.options, bottoms, weights })
    try {
      const expected = await this.pass(fresh)
      this.rig.setBottoms(bottoms)
      this.same(
        await this.pass(),
        expected,
        `after a change of shape to ${bottoms.map(b => shapeText(optionsOf(b).shape)).join(', ')}`,
        0,
      )
      this.rig.setBottoms(this.options.bottoms)
      this.same(await this.pass(), first, 'after changing the shape and changing it back', 0)
    } finally {
      fresh.dispose()
    }
  }

  async inPlace(layerClass: LayerClass, first: Pass): Promise<void> {
    const rig = await LayerRig.create(layerClass, this.options, true)
    try {
      this.same(await this.pass(rig), first, 'in place', 1)
    } finally {
      rig.dispose()
    }
  }

  private compare(
    got: ArrayLike<number>,
    expected: ArrayLike<number>,
    blob: Blob,
    when: string,
    strictness: number,
    name = blob.name,
  ): void {
    const { rtol = 1e-4, atol = 1e-5 } = this.options
    if (got.length !== expected.length)
      this.fail(blob, name, 0, `${when} has ${got.length} values, expected are ${expected.length}`)
    for (let i = 0; i < got.length; i++) {
      const allowed = strictness * (atol + rtol * Math.abs(expected[i]))
      if (!(Math.abs(got[i] - expected[i]) <= allowed) && !Object.is(got[i], expected[i]))
        this.fail(blob, name, i, `${when} is ${got[i]}, expected is ${expected[i]} ± ${allowed.toPrecision(3)}`)
    }
  }

  private fail(blob: Blob, name: string, i: number, what: string): never {
    const { layer, engine } = this.rig
    const index = indexIn(blob, i)
    throw new CheckError(
      layer.type,
      name,
      index,
      `layer ${layer.type} on ${engine.name}: ${name}${placeText(index)} ${what}`,
    )
  }
}

/** The same spec with one more item along axis 0; given values are repeated as far as needed. */
function oneMore(spec: BottomSpec): BottomSpec {
  const options = optionsOf(spec)
  if (!options.shape.length) return options
  const shape: Shape = [options.shape[0] + 1, ...options.shape.slice(1)]
  const { values } = options
  if (!values) return { ...options, shape }
  const count = shape.reduce((a, b) => a * b, 1)
  return { ...options, shape, values: Float64Array.from({ length: count }, (_, i) => values[i % values.length]) }
}

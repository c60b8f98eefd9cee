/** A graph as tables of calls that threads can run: see execute.ts. */
import type { Memory } from '../../../memory.js'
import { BEFORE_TILES, BEHIND_TILES, CALL, COPY, IMAGES, PARTS, POOL } from './execute.js'
import { type Graph, type Value, WHOLE_IMAGES } from './graph.js'
import { Kept, line, type Runner } from './kept.js'
import { type Handle, type Library, Refused } from './library.js'
import { BIAS, DIFF_SRC, DST, type Primitive, SCRATCH, SRC, WEIGHTS } from './maker.js'
import { Params } from './params.js'
import type { Extent, Primitives } from './primitives.js'
import type { Rows } from './row_cuts.js'
import { layOut, partsOf, type Storage, wavesOf } from './schedule.js'
import { type Call, Table } from './table.js'
import { beforeProducts, behindProducts, POINTS, pointStep, TILE_ROOM } from './tiles.js'
import {
  type Place,
  type PlaceOfMemory,
  type PlaceOfValue,
  type PrimitiveUnit,
  type RowsOfUnit,
  type TilesUnit,
  type Unit,
  Units,
} from './units.js'

/** Work of a wave that is not worth another thread. */
const ALONE = 4e5

/** The library has no fast code for something in these layers. */
export class RefusedLayers extends Error {
  constructor(readonly layers: readonly number[]) {
    super(`layers ${layers.join(', ')}`)
  }
}

/** A memory object for a part of a memory of all images: whose address is told before each run. */
interface Outside {
  readonly memory: Memory
  readonly isWritten: boolean
  /** 0: the engine itself reads it. */
  handle: Handle
  /** Bytes of an image; bytes from its beginning, or from that of the memory where the image is fixed. */
  readonly image: number
  offset: number
  /** Where it is now; images: the word of the table that says it; what the engine copies: the integer that does. */
  address: number
  word: number
  integer: number
}

/** Where the calls of a thread or of an image find what is theirs. */
interface Room {
  /** Addresses. */
  readonly values: number
  readonly scratch: number
  /** Which image, or -1 where it is another one each time. */
  readonly image: number
}

const addressOf = ({ value, channel }: PlaceOfValue, storage: Storage, room: Room): number =>
  room.values + storage.places.get(value)! + 4 * channel * value.extent.height * value.extent.width

const extentBytes = ({ channels, height, width }: Extent): number => 4 * channels * height * width

/** Primitives and what they need, which has to be given back. */
export class Program {
  private readonly library: Library
  private readonly units: Units
  private readonly kept: Kept
  private readonly wholeImages: boolean
  private readonly outsides: Outside[] = []
  private readonly tables: { readonly at: number; readonly chunks: number }[] = []
  private params!: Params
  /** Of the last table. */
  private words: Float64Array = new Float64Array(0)
  /** All of the memory as it was then. */
  private integers: Int32Array = new Int32Array(0)

  /** Throws `RefusedLayers` where the library has no fast code, `Refused` where it has no memory. */
  constructor(
    primitives: Primitives,
    private readonly runner: Runner,
    private readonly graph: Graph,
    byTiles: boolean,
  ) {
    this.library = primitives.library
    this.kept = new Kept(this.library, runner)
    this.wholeImages = graph.batch >= WHOLE_IMAGES
    this.units = new Units(primitives, this.wholeImages, byTiles)
    try {
      this.build()
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  /** Does all that the calls did; false, and nothing is done, if a param can be written at any time. */
  run(): boolean {
    if (!this.params.follow()) return false
    this.execute(memory => memory)
    return true
  }

  /** The same on other memories than those of the calls. Params that can be written at any time are read each time. */
  runOn(actual: (memory: Memory) => Memory): void {
    this.params.followOn(actual)
    this.execute(actual)
  }

  private execute(actual: (memory: Memory) => Memory): void {
    for (const outside of this.outsides) {
      const { isWritten, offset, handle, word, integer } = outside
      const memory = actual(outside.memory)
      const address = this.kept.base + (isWritten ? memory.pointer : memory.readPointer) + offset
      if (address === outside.address) continue
      outside.address = address
      if (integer >= 0) this.integers[integer] = address - this.kept.base
      else if (word < 0) this.library.setHandle(handle, address)
      else this.words[word] = address
    }
    for (const { at, chunks } of this.tables) this.runner.run(at, chunks)
  }

  /** Bytes that it keeps. */
  get bytes(): number {
    return this.kept.bytes
  }

  dispose(): void {
    this.kept.dispose()
    this.units.dispose()
    this.tables.length = 0
  }

  private build(): void {
    const { graph } = this
    const { ops } = graph
    const { block } = this.library.tags!
    const parts = partsOf(ops, block)
    const refused: number[] = []
    const work = ops.map(op => {
      try {
        return this.units.of(op, (part, channel) => {
          const { height, width } = part.extent
          const place = parts.get(part)
          return place?.whole === op.y && place.offset === 4 * channel * height * width
        })
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        refused.push(op.layer)
        return []
      }
    })
    if (refused.length) throw new RefusedLayers(refused)
    const waves = wavesOf(ops, this.wholeImages)
    const entered = enteredValues(work.flat())
    const steps: Unit[][] = []
    const put = (wave: number, units: readonly Unit[]) => {
      steps[wave] = [...(steps[wave] ?? []), ...units]
    }
    put(
      0,
      [...entered].flatMap(value => this.units.enter(value.source!, value)),
    )
    for (const [i, units] of work.entries()) put(waves[i], units)
    const end = Math.max(...waves) + 1
    put(
      end,
      [...graph.results].flatMap(([memory, value]) => this.units.leave(value, memory)),
    )
    const filled = steps.filter(units => units?.length)
    const storage = layOut(ops, waves, entered, new Set(graph.results.values()), parts, block)
    const weights = work.flat().flatMap(({ args }) => {
      const place = args.get(WEIGHTS)
      return place?.at === 'weights' ? [place.weights] : []
    })
    this.params = new Params(this.kept, weights)
    if (this.wholeImages) this.writeImages(filled.flat(), storage)
    else this.writeParts(filled, storage)
  }

  /** One table: a chunk is an image, each thread has room of its own. */
  private writeImages(units: readonly Unit[], storage: Storage): void {
    const { threads } = this.runner
    const scratch = this.scratchOf(units)
    const step = line(storage.bytes) + scratch
    const values = this.kept.base + this.kept.take(step * threads).pointer
    const variants = Array.from({ length: threads }, (_, thread) => {
      const room = { values: values + thread * step, scratch: values + thread * step + line(storage.bytes), image: -1 }
      const from = this.outsides.length
      const calls = units.flatMap(unit => this.calls(unit, storage, room))
      return { calls, outsides: this.outsides.slice(from) }
    })
    const { calls, outsides } = variants[0]
    const each = CALL * (outsides.length + calls.length)
    const at = this.table(
      6 + each * threads,
      variants.flatMap(variant => variant.calls),
    )
    const head = at.place
    this.words.set([IMAGES, head + 6, each, outsides.length, calls.length], 0)
    for (const [thread, variant] of variants.entries()) {
      let word = 6 + each * thread
      for (const outside of variant.outsides) {
        this.words.set([outside.handle, 0, outside.image], word)
        outside.word = word + 1
        word += CALL
      }
      for (const call of variant.calls) word = at.write(call, word)
    }
    this.tables.push({ at: at.pointer, chunks: this.graph.batch })
  }

  /** A table for each wave: a chunk is a unit of an image. */
  private writeParts(steps: readonly (readonly Unit[])[], storage: Storage): void {
    const { batch } = this.graph
    const scratch = Math.max(...steps.map(units => this.scratchOf(units)))
    const most = Math.max(...steps.map(units => units.length)) * batch
    const values = this.kept.base + this.kept.take(line(storage.bytes) * batch).pointer
    const scratches = this.kept.base + this.kept.take(scratch * most).pointer
    const waves = steps.map(units => {
      const all = Array.from({ length: batch }, (_, image) => units.map(unit => ({ unit, image }))).flat()
      // the longest first
      const sorted = all.sort((a, b) => b.unit.work - a.unit.work)
      const calls = sorted.map(({ unit, image }, chunk) =>
        this.calls(unit, storage, {
          values: values + image * line(storage.bytes),
          scratch: scratches + chunk * scratch,
          image,
        }),
      )
      const isAlone = sorted.reduce((sum, { unit }) => sum + unit.work, 0) < ALONE
      return isAlone ? [calls.flat()] : calls
    })
    const lengths = waves.map(chunks => 2 + 2 * chunks.length + CALL * chunks.flat().length)
    const at = this.table(
      lengths.reduce((sum, length) => sum + length, 0),
      waves.flat(2),
    )
    let begin = 0
    for (const [i, chunks] of waves.entries()) {
      let word = begin + 2 + 2 * chunks.length
      this.words[begin] = PARTS
      for (const [k, calls] of chunks.entries()) {
        this.words.set([at.place + word, calls.length], begin + 2 + 2 * k)
        for (const call of calls) word = at.write(call, word)
      }
      this.tables.push({ at: at.pointer + 8 * begin, chunks: chunks.length })
      begin += lengths[i]
    }
  }

  private table(words: number, calls: readonly Call[]): Table {
    const { memory } = this.runner.heap
    const table = new Table(memory, this.kept.base, this.kept.take(Table.bytes(words, calls)).pointer, words, calls)
    this.words = table.words
    this.integers = new Int32Array(memory.buffer)
    return table
  }

  private calls(unit: Unit, storage: Storage, room: Room): Call[] {
    if ('pieces' in unit) return this.tileCalls(unit, storage, room)
    if ('pooling' in unit) {
      const [from, to] = [SRC, DST].map(argument => this.pointerTo(unit.args.get(argument)!, storage, room))
      return [{ own: POOL, integers: [from, to, ...unit.pooling] }]
    }
    return unit.rows ? this.callsOfRows(unit, unit.rows, storage, room) : [this.call(unit, storage, room)]
  }

  /** A primitive between the rows that it reads and those that it writes, which lie behind its own scratch. */
  private callsOfRows(unit: PrimitiveUnit, rows: RowsOfUnit, storage: Storage, room: Room): Call[] {
    const { source, result } = rows
    const { base } = this.kept
    const from = room.scratch + this.ownScratch(unit)
    const to = from + line(source.blocks * source.bytes)
    const elsewhere = new Map([
      [SRC, from],
      [DST, to],
    ])
    const y = this.pointerTo(unit.args.get(DST)!, storage, room)
    return [
      this.copyOf(unit.args.get(SRC)!, source, from - base, storage, room),
      this.call(unit, storage, room, elsewhere),
      {
        own: COPY,
        integers: [to - base, y + result.first, result.blocks, result.bytes, result.bytes, result.step],
      },
    ]
  }

  /** Copies rows of a value, or of a memory whose address is told before each run. */
  private copyOf(place: Place, rows: Rows, to: number, storage: Storage, room: Room): Call {
    const integers = (from: number) => [from, to, rows.blocks, rows.bytes, rows.step, rows.bytes]
    if (place.at !== 'memory')
      return { own: COPY, integers: integers(this.pointerTo(place, storage, room) + rows.first) }
    const outside = this.outside(place, room, false)
    outside.offset += rows.first
    return {
      own: COPY,
      integers: integers(0),
      written: at => {
        outside.integer = at / 4
      },
    }
  }

  private tileCalls(unit: TilesUnit, storage: Storage, room: Room): Call[] {
    const { op, outputs, pieces, args } = unit
    const { base, library } = this.kept
    const { block } = library.tags!
    const [from, to] = [SRC, DST].map(argument => this.pointerTo(args.get(argument)!, storage, room))
    const weights = args.get(WEIGHTS)
    const bias = args.get(BIAS)
    if (weights?.at !== 'weights') throw new Error('tiles are multiplied with weights')
    const at = bias?.at === 'bias' ? this.params.copyBias(bias.memory, bias.first, outputs) : 0
    const temp = room.scratch - base
    return pieces.flatMap(({ tiles, primitive }): Call[] => {
      const points = room.scratch + TILE_ROOM
      const [inStep, outStep] = this.pointSteps(primitive)
      const sums = points + line(POINTS * inStep)
      const own = sums + line(POINTS * outStep)
      const product = (point: number): Call => {
        const places: [argument: number, address: number][] = [
          [SRC, points + point * inStep],
          [WEIGHTS, this.params.addressOf(weights.weights) + (point * weights.weights.bytes) / POINTS],
          [DST, sums + point * outStep],
          [SCRATCH, own],
        ]
        const list = places.filter(([argument]) => primitive.memories.has(argument))
        return {
          primitive: primitive.handle,
          args: list.map(([argument, address]) => [
            argument,
            this.kept.object(primitive.memories.get(argument)!, address),
          ]),
        }
      }
      return [
        { own: BEFORE_TILES, integers: [from, points - base, temp, ...beforeProducts(op.shape, tiles, block)] },
        ...Array.from({ length: POINTS }, (_, point) => product(point)),
        {
          own: BEHIND_TILES,
          integers: [
            sums - base,
            to,
            temp,
            ...behindProducts(op.shape, tiles, block, outputs, at, op.sum !== undefined, op.after),
          ],
        },
      ]
    })
  }

  /** @param elsewhere addresses of arguments that do not lie in their places */
  private call(unit: PrimitiveUnit, storage: Storage, room: Room, elsewhere?: ReadonlyMap<number, number>): Call {
    const { args, primitive } = unit
    const list: [number, Handle][] = []
    for (const [argument, place] of args) {
      const description = primitive.memories.get(argument)
      const address = elsewhere?.get(argument)
      const memory =
        address === undefined
          ? this.objectAt(place, argument, description, storage, room)
          : this.kept.object(description!, address)
      list.push([argument, memory])
    }
    const scratch = primitive.memories.get(SCRATCH)
    if (scratch) list.push([SCRATCH, this.kept.object(scratch, room.scratch)])
    return { primitive: primitive.handle, args: list }
  }

  private objectAt(
    place: Place,
    argument: number,
    description: Handle | undefined,
    storage: Storage,
    room: Room,
  ): Handle {
    if (place.at === 'weights') return this.kept.object(description!, this.params.addressOf(place.weights))
    if (place.at === 'bias') {
      const handle = this.kept.object(description!, room.values)
      this.params.addBias(place.memory, place.first, handle)
      return handle
    }
    if (place.at === 'value') return this.kept.object(description!, addressOf(place, storage, room))
    const outside = this.outside(place, room, argument === DST || argument === DIFF_SRC)
    outside.handle = this.kept.object(description!, room.values)
    return outside.handle
  }

  private outside({ memory, extent, channel }: PlaceOfMemory, { image: at }: Room, isWritten: boolean): Outside {
    const image = extentBytes(extent)
    const offset = 4 * channel * extent.height * extent.width + Math.max(0, at) * image
    const outside = { memory, isWritten, handle: 0, image, offset, address: 0, word: -1, integer: -1 }
    this.outsides.push(outside)
    return outside
  }

  /** The byte offset of a value, which the engine's own code reads. */
  private pointerTo(place: Place, storage: Storage, room: Room): number {
    if (place.at !== 'value') throw new Error(`the engine's own code reads no ${place.at}`)
    return addressOf(place, storage, room) - this.kept.base
  }

  private scratchOf(units: readonly Unit[]): number {
    const bytes = units.map(unit => {
      if ('pooling' in unit) return 0
      if ('pieces' in unit) return Math.max(...unit.pieces.map(({ primitive }) => this.tileScratch(primitive)))
      const copies = unit.rows ? Object.values(unit.rows) : []
      return copies.reduce((sum, { blocks, bytes }) => sum + line(blocks * bytes), this.ownScratch(unit))
    })
    return line(Math.max(0, ...bytes))
  }

  private tileScratch(primitive: Primitive): number {
    const bytes = this.pointSteps(primitive).reduce((sum, step) => sum + line(POINTS * step), 0)
    return TILE_ROOM + bytes + this.ownScratch({ primitive })
  }

  /** Bytes from a point of what products read to the next, and of what they write. */
  private pointSteps({ memories }: Primitive): number[] {
    return [SRC, DST].map(argument => 4 * pointStep(this.library.bytesOf(memories.get(argument)!) / 4))
  }

  /** Bytes that a primitive works with. */
  private ownScratch({ primitive }: Pick<PrimitiveUnit, 'primitive'>): number {
    const scratch = primitive.memories.get(SCRATCH)
    return scratch ? line(this.library.bytesOf(scratch)) : 0
  }
}

/** Plain values that are read in blocks. */
function enteredValues(units: readonly Unit[]): Set<Value> {
  const values = new Set<Value>()
  for (const { args } of units)
    for (const place of args.values()) if (place.at === 'value' && place.value.source) values.add(place.value)
  return values
}

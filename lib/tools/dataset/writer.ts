import { LmdbWriter } from '../../data/lmdb_writer.js'
import { FormatError, RistrettoError } from '../../errors.js'
import { writeDatum } from '../../proto/datum.js'
import { writeMessage } from '../../proto/wire.js'
import { type DueCandidate, type LeftOut, type SetName, setNames } from './candidates.js'
import { labelsText } from './classes.js'
import type { Picture, PictureForm } from './decode.js'
import { recordKey } from './record_key.js'
import type { DatasetSetSummary, DatasetSummary } from './summary.js'
import type { DatasetTarget } from './target.js'

/** A database that is being written. */
interface OpenSet {
  readonly writer: LmdbWriter
  readonly histogram: number[]
}

/** Writes the files of a dataset: add or leave out every candidate, then finish, or abort. */
export class DatasetWriter {
  readonly leftOut: LeftOut[] = []
  private readonly sets: Partial<Record<SetName, OpenSet>> = {}
  /** Of each class the first picture that could not be read. */
  private readonly failures = new Map<number, { candidate: DueCandidate; reason: string }>()
  private first: { candidate: DueCandidate; image: Picture['image'] } | undefined
  private sum: Float64Array = new Float64Array(0)

  private constructor(
    private readonly target: DatasetTarget,
    private readonly classes: readonly string[],
  ) {}

  /** @param names of the sets that have candidates */
  static async open(
    target: DatasetTarget,
    classes: readonly string[],
    names: readonly SetName[],
  ): Promise<DatasetWriter> {
    const dataset = new DatasetWriter(target, classes)
    for (const name of names)
      dataset.sets[name] = {
        writer: await LmdbWriter.create(await target.sink(`${name}_db/data.mdb`)),
        histogram: classes.map(() => 0),
      }
    return dataset
  }

  leaveOut(candidate: DueCandidate, reason: string): void {
    const { file, label } = candidate
    this.leftOut.push({ file, reason })
    if (!this.failures.has(label)) this.failures.set(label, { candidate, reason })
  }

  add(name: SetName, candidate: DueCandidate, { image, file: bytes }: Picture): void {
    const { file, label } = candidate
    const { channels, height, width, data } = image
    this.first ??= { candidate, image }
    const { image: first } = this.first
    if (height !== first.height || width !== first.width)
      throw new RistrettoError(
        `${nameOf(candidate)} is ${width}×${height} pixels large, ${nameOf(this.first.candidate)} is ${first.width}×${first.height}: the pictures of a dataset have one size; give the size that all are brought to`,
      )
    if (name === 'train') {
      if (!this.sum.length) this.sum = new Float64Array(data.length)
      const { sum } = this
      for (let i = 0; i < sum.length; i++) sum[i] += data[i]
    }
    const { writer, histogram } = this.sets[name]!
    const datum = bytes
      ? { data: bytes, label, encoded: true }
      : { channels, height, width, data, label, encoded: false }
    writer.put(recordKey(writer.count, file), writeDatum(datum))
    histogram[label]++
  }

  /** Complete the files; summary.json comes last, so that a dataset that has one is whole. */
  async finish(
    { channels, size, resize, encode }: PictureForm,
    seed: number,
    leftOut: readonly LeftOut[],
    notes: readonly string[],
  ): Promise<DatasetSummary> {
    this.checkClasses()
    const { image } = this.first!
    const records = this.sets.train!.writer.count
    const blob = Float32Array.from(this.sum, total => total / records)
    const sets: Partial<Record<SetName, DatasetSetSummary>> = {}
    for (const name of setNames) {
      const set = this.sets[name]
      if (set) sets[name] = { records: set.writer.count, histogram: set.histogram }
    }
    const plane = image.height * image.width
    const summary: DatasetSummary = {
      version: 1,
      classes: this.classes,
      channels,
      height: image.height,
      width: image.width,
      resize: size ? resize : null,
      encode: encode ?? null,
      seed,
      sets,
      mean: Array.from(
        { length: channels },
        (_, c) => blob.subarray(c * plane, (c + 1) * plane).reduce((a, x) => a + x, 0) / plane,
      ),
      leftOut: [...leftOut, ...this.leftOut],
      notes: [...notes, ...this.notes()],
    }
    for (const name of setNames) await this.sets[name]?.writer.finish()
    const text = new TextEncoder()
    await this.write('labels.txt', labelsText(this.classes))
    const mean = { num: 1, channels, height: image.height, width: image.width, data: blob }
    await this.write('mean.binaryproto', writeMessage('BlobProto', mean))
    await this.write('summary.json', text.encode(`${JSON.stringify(summary, undefined, 2)}\n`))
    return summary
  }

  abort(): void {
    for (const set of Object.values(this.sets)) set.writer.abort()
  }

  private async write(path: string, bytes: Uint8Array): Promise<void> {
    const sink = await this.target.sink(path)
    try {
      sink.write(0, bytes)
      await sink.finish()
    } catch (error) {
      sink.abort()
      throw error
    }
  }

  /** Throws where a class, or the set to train on, has lost all its pictures. */
  private checkClasses(): void {
    const all = Object.values(this.sets).map(({ histogram }) => histogram)
    const lost = [...this.failures].filter(([label]) => all.every(histogram => histogram[label] === 0))
    if (lost.length) {
      const [[label, { candidate, reason }]] = lost
      const others = lost.length > 1 ? ` (and of ${lost.length - 1} other classes)` : ''
      throw new FormatError(
        `none of the pictures of class ${candidate.place ? label : `'${this.classes[label]}'`}${others} can be read; ${nameOf(candidate)}: ${reason}`,
      )
    }
    if (!this.sets.train?.writer.count) throw new FormatError('there is no picture to train on')
  }

  private notes(): string[] {
    const notes: string[] = []
    for (const name of setNames) {
      const set = this.sets[name]
      if (!set) continue
      const missing = this.classes.filter((_, label) => set.histogram[label] === 0)
      if (missing.length)
        notes.push(
          `${name}_db has no picture of ${missing
            .slice(0, 10)
            .map(name => `'${name}'`)
            .join(', ')}${missing.length > 10 ? ` and ${missing.length - 10} other classes` : ''}`,
        )
    }
    if (this.classes.length === 1) notes.push('there is one class: a net that tells classes apart needs two')
    return notes
  }
}

const nameOf = ({ file, place }: DueCandidate): string => place ?? `'${file}'`

import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { LmdbReader } from '../../../lib/data/lmdb.js'
import { LmdbWriter } from '../../../lib/data/lmdb_writer.js'
import { readDatum, writeDatum } from '../../../lib/proto/datum.js'
import { items, labelOf, meanPicture, picture, readRecord, setIndex } from '../../../lib/studio/jobs/items.js'
import { DATASET, toyProject } from '../toy_project.js'

let project: Awaited<ReturnType<typeof toyProject>>
beforeAll(async () => {
  project = await toyProject({ planes: 3 })
})

describe('Browsing a set', () => {
  test('by pages, of all classes or one, with names and labels', async () => {
    const { context } = project
    const all = await items(context, DATASET, { set: 'train' })
    expect(all.total).toBe(30)
    expect(all.items).toHaveLength(30)
    expect(all.items.map(({ item }) => item)).toEqual(Array.from({ length: 30 }, (_, i) => i))
    const second = await items(context, DATASET, { set: 'train', page: 1, perPage: 12 })
    expect(second.items).toEqual(all.items.slice(12, 24))
    const above = await items(context, DATASET, { set: 'train', label: 1, perPage: 4, page: 3 })
    expect(above.total).toBe(15)
    expect(above.items).toEqual(all.items.filter(({ label }) => label === 1).slice(12, 15))
    expect((await items(context, DATASET, { set: 'train', label: 7 })).items).toEqual([])
    // what arrays are called is their number
    expect(all.items.every(({ name, label }) => Number(name) % 2 === label)).toBe(true)
  })

  test('refuses sets, items and pages that there are not', async () => {
    const { context } = project
    await expect(items(context, DATASET, { set: 'test' })).rejects.toMatchObject({ name: 'StudioError', status: 404 })
    await expect(items(context, '20261129-0131-none', { set: 'val' })).rejects.toMatchObject({ status: 404 })
    await expect(readRecord(context, DATASET, 'val', 10)).rejects.toMatchObject({ status: 404 })
    await expect(items(context, DATASET, { set: 'val', page: -1 })).rejects.toMatchObject({ status: 400 })
    await expect(items(context, DATASET, { set: 'val', perPage: 1001 })).rejects.toMatchObject({ status: 400 })
  })

  test('the index is made once', async () => {
    expect(await setIndex(project.context, DATASET, 'val')).toBe(await setIndex(project.context, DATASET, 'val'))
  })

  test('labels are the same whether pictures are read for them or not', async () => {
    const image = { channels: 3, height: 70, width: 90, data: new Uint8Array(18_900).fill(0x22) }
    const records = [
      { ...image, label: 7 },
      { ...image, label: 300, encoded: true },
      { data: image.data, encoded: true, label: 3 },
      { ...image, label: 0 },
      // float_data stands behind the label, where the picture would be nothing
      { channels: 1, height: 1, width: 2000, label: 9, float_data: new Float32Array(2000) },
    ]
    const writer = await LmdbWriter.create()
    records.forEach((record, i) => {
      writer.put(String(i), writeDatum(record))
    })
    const db = await LmdbReader.open((await writer.finish())!)
    const cursor = db.cursor()
    const labels: number[] = []
    for (let more = cursor.first(); more; more = cursor.next()) {
      expect(cursor.valueSize).toBe(cursor.value.length)
      expect([...cursor.valuePart(100, 3)]).toEqual([...cursor.value.subarray(100, 103)])
      labels.push(labelOf(cursor))
    }
    expect(labels).toEqual([7, 300, 3, 0, 9])
    cursor.first()
    expect(() => cursor.valuePart(18_900, 100)).toThrow(/are wanted/)
  })

  test('a picture is a PNG of the record, colours in their order', async () => {
    const png = await picture(project.context, DATASET, 'val', 3)
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, info.channels]).toEqual([16, 16, 3])
    const record = readDatum(await readRecord(project.context, DATASET, 'val', 3)).data
    for (const at of [0, 17, 255])
      expect([...data.subarray(3 * at, 3 * at + 3)]).toEqual([record[512 + at], record[256 + at], record[at]])
  })

  test('so is the mean', async () => {
    const { info } = await sharp(await meanPicture(project.context, DATASET))
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, info.channels]).toEqual([16, 16, 3])
  })
})

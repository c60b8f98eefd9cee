/** Databases that the option `files` opens: read as they are needed, never as a whole. */
import { expect, test } from 'vitest'
import { bytesSource } from '../../lib/data/byte_source.js'
import { LmdbWriter } from '../../lib/data/lmdb_writer.js'
import type { FileOptions } from '../../lib/index.js'
import { Net } from '../../lib/net.js'
import { writeDatum } from '../../lib/proto/datum.js'
import { parseNet } from '../../lib/proto/text.js'

const RECORDS = 500
/** 10 kB a record: 5 MB. */
const SIDE = 100

async function database(): Promise<Uint8Array> {
  const writer = await LmdbWriter.create()
  for (let i = 0; i < RECORDS; i++) {
    const data = new Uint8Array(SIDE * SIDE).fill(i % 251)
    writer.put(String(i).padStart(6, '0'), writeDatum({ channels: 1, height: SIDE, width: SIDE, data, label: i }))
  }
  return (await writer.finish())!
}

const TEXT = `layer { name: "data" type: "Data" top: "data" top: "label" data_param { source: "somewhere/db" backend: LMDB batch_size: 4 } }`

interface Asked {
  readonly files: NonNullable<Exclude<FileOptions['files'], false>>
  readonly read: string[]
  bytes: number
  open: number
}

/** A door that has one file, and counts what goes through it. */
function door(bytes: Uint8Array, place: string): Asked {
  const inner = bytesSource(bytes)
  const asked: Asked = {
    read: [],
    bytes: 0,
    open: 0,
    files: {
      read(path) {
        asked.read.push(path)
        return undefined
      },
      open(path) {
        if (path !== place) return undefined
        asked.open++
        return {
          name: path,
          size: inner.size,
          read(offset, length) {
            asked.bytes += length
            return inner.read(offset, length)
          },
          close: () => void asked.open--,
        }
      },
    },
  }
  return asked
}

test.each(['somewhere/db/data.mdb', 'somewhere/db'])('a net reads %s piece by piece', async place => {
  const bytes = await database()
  expect(bytes.length).toBeGreaterThan(RECORDS * SIDE * SIDE)
  const asked = door(bytes, place)
  const net = await Net.create(parseNet(TEXT), { engine: 'js', files: asked.files })
  const [data, label] = ['data', 'label'].map(name => net.blobs[name])
  for (let i = 0; i < 5; i++) {
    await net.forward()
    expect([...label.dataArray]).toEqual([0, 1, 2, 3].map(n => 4 * i + n))
    expect(data.dataArray[SIDE * SIDE]).toBe(4 * i + 1)
  }
  // 20 records of 500, those that say the shape, and the pages that lead to them
  expect(asked.bytes).toBeGreaterThan(20 * SIDE * SIDE)
  expect(asked.bytes).toBeLessThan(bytes.length / 4)
  // nobody asked for it as a whole, and it is given back
  expect(asked.read.filter(path => path === place)).toEqual([])
  expect(asked.open).toBe(1)
  net.dispose()
  expect(asked.open).toBe(0)
})

test('what is opened must be a source, and where nothing is opened the whole file is read', async () => {
  const bytes = await database()
  const create = (files: FileOptions['files']) => Net.create(parseNet(TEXT), { engine: 'js', files })
  await expect(create({ open: () => ({ size: 3 }) as never })).rejects.toThrow(
    /the option files opened 'somewhere\/db\/data.mdb' as what cannot be read: a ByteSource is wanted/,
  )
  await expect(create({ open: () => bytesSource(new Uint8Array(5000), 'given') })).rejects.toThrow(/given/)
  const net = await create({ open: () => undefined, read: path => (/mdb$/.test(path) ? bytes : undefined) })
  await net.forward()
  expect([...net.blobs['label'].dataArray]).toEqual([0, 1, 2, 3])
  net.dispose()
})

import { describe, expect, it } from 'vitest'
import { loadHdf5 } from '../../lib/data/hdf5.js'
import { FormatError } from '../../lib/errors.js'
import { readHdf5State, readHdf5Weights } from '../../lib/net/hdf5.js'

/** A file with one packed dataset of 100×10 whole numbers, and where its packed bytes begin. */
async function packed(name: string, filter: number, options: number[]): Promise<Uint8Array> {
  const h5wasm = await import('h5wasm')
  const { FS } = await h5wasm.ready
  // as h5py writes it: objects in the oldest form that holds them, which has no checksums
  const file = new h5wasm.File('/packed.h5', 'w', { libver: ['earliest', 'latest'] })
  const groups = name.split('/').slice(0, -1)
  groups.forEach((_, i) => {
    file.create_group(groups.slice(0, i + 1).join('/'))
  })
  file.create_dataset({
    name,
    data: Float32Array.from({ length: 1000 }, (_, i) => i),
    shape: [100, 10],
    chunks: [20, 10],
    compression: filter,
    compression_opts: options,
  })
  if (name === 'iter') file.create_group('history')
  file.close()
  const bytes = FS.readFile('/packed.h5')
  FS.unlink('/packed.h5')
  return bytes.slice()
}

const places = (bytes: Uint8Array, pattern: readonly number[]): number[] =>
  [...bytes.keys()].filter(at => pattern.every((byte, i) => bytes[at + i] === byte))

/** Every chunk's zlib stream, damaged behind its header. */
function damageGzip(bytes: Uint8Array): Uint8Array {
  const starts = places(bytes, [0x78, 0x5e])
  expect(starts.length).toBe(5)
  for (const at of starts) bytes.fill(0xff, at + 8, at + 40)
  return bytes
}

/** The filter's message says LZF, number 32000, which is not built in. */
function calledLzf(bytes: Uint8Array): Uint8Array {
  const starts = places(bytes, [...Buffer.from('deflate')])
  expect(starts.length).toBe(1)
  // u16 number, u16 length of the name, u16 flags, u16 options, name
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(starts[0] - 8, 32000, true)
  bytes.set(Buffer.from('lzf\0\0\0\0'), starts[0])
  return bytes
}

const valuesOf = async (bytes: Uint8Array, name: string) => {
  const reader = (await loadHdf5()).open(bytes, 'x.h5')
  try {
    return reader.read(name)
  } finally {
    reader.close()
  }
}

describe('reads that fail inside the HDF5 library', () => {
  it.each([
    ['gzip', 1, [4]],
    ['shuffle', 2, []],
    ['fletcher32', 3, []],
    ['szip', 4, [4, 16]],
    ['nbit', 5, []],
    ['scaleoffset', 6, [0, 0]],
  ] as [string, number, number[]][])('%s is read', async (_, filter, options) => {
    const { data } = await valuesOf(await packed('x', filter, options), 'x')
    expect(data).toEqual(Float32Array.from({ length: 1000 }, (_, i) => i))
  })

  it('damaged gzip, a wrong checksum and LZF are errors with file, dataset and reason', async () => {
    const gzip = damageGzip(await packed('x', 1, [4]))
    await expect(valuesOf(gzip, 'x')).rejects.toThrow(/^x\.h5: cannot read 'x': its values are damaged.*gzip/)
    await expect(valuesOf(gzip, 'x')).rejects.toThrow(FormatError)

    const summed = await packed('x', 3, [])
    const [start] = places(summed, [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40])
    summed[start + 1] ^= 1
    await expect(valuesOf(summed, 'x')).rejects.toThrow(/cannot read 'x': its values are damaged.*fletcher32/)

    await expect(valuesOf(calledLzf(await packed('x', 1, [4])), 'x')).rejects.toThrow(
      /^x\.h5: cannot read 'x': it is packed with 'lzf', filter 32000; read are gzip, shuffle, fletcher32, szip/,
    )
  })

  it('weights and histories meet the same error', async () => {
    const weights = damageGzip(await packed('data/ip/0', 1, [4]))
    await expect(readHdf5Weights(weights, 'a.caffemodel.h5')).rejects.toThrow(
      /^a\.caffemodel\.h5: cannot read '\/data\/ip\/0': its values are damaged/,
    )
    const state = calledLzf(await packed('iter', 1, [4]))
    await expect(readHdf5State(state, 'a.solverstate.h5')).rejects.toThrow(
      /a\.solverstate\.h5: cannot read 'iter': it is packed with 'lzf'/,
    )
  })

  it('links to what is in no other place of the file are errors, not layers left out', async () => {
    const h5wasm = await import('h5wasm')
    const { FS } = await h5wasm.ready
    const file = new h5wasm.File('/links.h5', 'w')
    file.create_group('data')
    file.create_external_link('elsewhere.h5', '/ip', 'data/ip')
    file.create_soft_link('/nowhere', 'soft')
    file.close()
    const bytes = FS.readFile('/links.h5').slice()
    await expect(readHdf5Weights(bytes, 'a.h5')).rejects.toThrow(/a\.h5: '\/data\/ip' is a link to 'elsewhere\.h5'/)
    await expect(valuesOf(bytes, 'soft')).rejects.toThrow(/'soft' is a link to '\/nowhere', which is not in this file/)
  })
})

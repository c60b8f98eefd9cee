import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import h5wasm from 'h5wasm'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadHdf5 } from '../../lib/data/hdf5.js'
import { readIdx } from '../../lib/data/idx.js'
import { Net, RistrettoError } from '../../lib/index.js'
import { convertMnist } from '../../lib/tools/convert_mnist.js'

let server: Server
let url = ''
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/net') response.end('input: "x" input_shape { dim: 1 }')
    else if (request.url === '/drip') response.write('input: "x"')
    else if (request.url === '/large') response.end(Buffer.alloc(5000, ' '))
    else if (request.url === '/endless') {
      const more = () => {
        if (response.destroyed) return
        response.write(Buffer.alloc(1 << 16, ' '), () => setImmediate(more))
      }
      more()
    }
    // anything else is never answered
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

it('a URL that does not answer, or never ends, is an error of the library', { tags: 'long' }, async () => {
  const create = (path: string, options = {}) => Net.create(`${url}/${path}`, { engine: 'js', ...options })
  expect((await create('net')).inputs).toEqual(['x'])
  expect((await create('net', { urlTimeout: Number.POSITIVE_INFINITY })).inputs).toEqual(['x'])
  for (const path of ['silent', 'drip']) {
    const error = await create(path, { urlTimeout: 50 }).catch((error: Error) => error)
    expect(error).toBeInstanceOf(RistrettoError)
    expect((error as Error).message).toBe(
      `cannot read ${url}/${path}: it was not there after 0.05 s; the option urlTimeout sets another limit`,
    )
  }
  await expect(create('large', { maxFile: 4999 })).rejects.toThrow(/it has 5000 bytes, the limit is 4999/)
  await expect(create('endless', { maxFile: 1e6 })).rejects.toThrow(/it has more bytes, the limit is 1000000/)
  for (const urlTimeout of [Number.NaN, '5', -1])
    await expect(create('net', { urlTimeout })).rejects.toThrow('the option urlTimeout is')
})

it('gzip unpacks no further than maxFile', { tags: 'long' }, async () => {
  const zeros = Buffer.alloc(1e6 + 8)
  zeros.set([0, 0, 8, 1])
  zeros.writeUInt32BE(1e6, 4)
  const packed = new Uint8Array(gzipSync(zeros))
  expect((await readIdx(packed)).shape).toEqual([1e6])
  await expect(readIdx(packed, { maxFile: 1e5 })).rejects.toThrow(
    /it has more bytes, the limit is 100000; the option max/,
  )
  await expect(convertMnist({ images: packed, labels: packed, output: '/nowhere', maxFile: 1e5 })).rejects.toThrow(
    /the limit is 100000/,
  )
  await expect(readIdx(packed.subarray(0, 200))).rejects.toThrow(/idx file: cannot unpack it/)
})

it('HDF5 unpacks no further, and neither do pieces that are larger than their dataset', { tags: 'long' }, async () => {
  const { FS } = await h5wasm.ready
  const file = new h5wasm.File('/bomb.h5', 'w')
  const common = { dtype: '<f', compression: 9 }
  file.create_dataset({
    name: 'zeros',
    data: new Float32Array(1 << 20),
    shape: [1 << 20],
    chunks: [1 << 20],
    ...common,
  })
  file.create_dataset({
    name: 'piece',
    data: new Float32Array(1),
    shape: [1],
    maxshape: [null],
    chunks: [1 << 20],
    ...common,
  })
  file.create_dataset({ name: 'small', data: new Float32Array(4), shape: [4], chunks: [2], ...common })
  file.close()
  const bytes = FS.readFile('/bomb.h5')
  expect(bytes.length).toBeLessThan(1e5)
  const library = await loadHdf5()
  const open = library.open(bytes, 'bomb', 1e5)
  expect(open.read('small').shape).toEqual([4])
  expect(() => open.read('zeros')).toThrow(
    /^bomb: dataset 'zeros' \(1048576 in pieces of 1048576\) unpacks to more than 100000 bytes; the option maxFile/,
  )
  expect(() => open.read('piece')).toThrow(/^bomb: dataset 'piece' \(1 in pieces of 1048576\) unpacks to more/)
  open.close()
  const usual = library.open(bytes, 'bomb')
  expect(usual.read('zeros').data).toHaveLength(1 << 20)
  usual.close()
})

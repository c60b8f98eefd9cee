import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { fileSink } from '../../lib/data/sink.js'
import { RistrettoError } from '../../lib/errors.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { createSolver } from '../../lib/solver/rules/index.js'
import { mustBeWritable } from '../../lib/system/writable.js'
import { writeFileSafely, writeFilesSafely } from '../../lib/system/write_file.js'

const root = mkdtempSync(join(tmpdir(), 'ristretto-write-'))
afterAll(() => rmSync(root, { recursive: true }))

let folder = root
let places = 0
beforeEach(() => {
  folder = join(root, `${places++}`)
  mkdirSync(folder)
})

const bytes = Uint8Array.of(1, 2, 3)
const write = async (path: string) => {
  const sink = await fileSink(path)
  sink.write(0, bytes)
  await sink.finish()
}
const writers = { writeFileSafely: (path: string) => writeFileSafely(path, bytes), fileSink: write, mustBeWritable }

describe('what is no regular file is not written', () => {
  for (const [name, writer] of Object.entries(writers)) {
    it(`${name}: devices, folders, pipes, and links to them`, { tags: 'long' }, async () => {
      const pipe = join(folder, 'pipe')
      execFileSync('mkfifo', [pipe])
      symlinkSync('/dev/null', join(folder, 'link'))
      symlinkSync(join(folder, 'gone'), join(folder, 'dangling'))
      for (const [path, what] of [
        ['/dev/null', 'a device'],
        [pipe, 'a pipe'],
        [folder, 'a folder'],
        [join(folder, 'link'), 'a device'],
        [join(folder, 'dangling'), 'a symbolic link to a file that does not exist'],
      ]) {
        const written = writer(path)
        await expect(written).rejects.toThrow(RistrettoError)
        await expect(written).rejects.toThrow(`cannot write '${path}': it is ${what}`)
      }
      expect(readdirSync(folder).sort()).toEqual(['dangling', 'link', 'pipe'])
      expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true)
    })
  }

  it("the program's own path may be a link to a file, which stays a link; the file keeps its mode", async () => {
    const file = join(folder, 'file')
    writeFileSync(file, 'old')
    chmodSync(file, 0o600)
    symlinkSync(file, join(folder, 'link'))
    for (const writer of [writers.writeFileSafely, writers.fileSink]) {
      await writer(join(folder, 'link'))
      expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true)
      expect([...readFileSync(file)]).toEqual([1, 2, 3])
      expect(lstatSync(file).mode & 0o777).toBe(0o600)
    }
    expect(readdirSync(folder).sort()).toEqual(['file', 'link'])
  })
})

describe('what a process left when it was killed', () => {
  it('is removed by the next write of that file, and nothing else is', async () => {
    const gone = spawnSync(process.execPath, ['-e', '']).pid
    const left = [`data.mdb.tmp-${gone}`, `data.mdb.tmp-${gone}-xyz-4`]
    const kept = [
      `other.tmp-${gone}`,
      `data.mdb.tmp-${process.ppid}`,
      'data.mdb.tmp-mine',
      `data.mdb.tmp-${process.pid}-abc-1`,
    ]
    for (const writer of [writers.writeFileSafely, writers.fileSink]) {
      for (const name of [...left, ...kept]) writeFileSync(join(folder, name), 'x')
      await writer(join(folder, 'data.mdb'))
      expect(readdirSync(folder).sort()).toEqual(['data.mdb', ...kept].sort())
    }
  })
})

/** A net that writes `file` in its first pass. */
const writing = (file: string) =>
  parseNet(`
    layer { name: "in" type: "Input" top: "a" top: "b" input_param { shape { dim: 1 } shape { dim: 1 } } }
    layer { name: "out" type: "HDF5Output" bottom: "a" bottom: "b" hdf5_output_param { file_name: "${file}" } }`)

const HDF5 = '89484446'
const startOf = (file: string) => readFileSync(file).subarray(0, 4).toString('hex')

describe('where a net may write', () => {
  const run = async (file: string, options: Parameters<typeof Net.create>[1] = {}) => {
    const net = await Net.create(writing(file), { engine: 'js', ...options })
    await net.forward({ a: [1], b: [2] })
    net.dispose()
  }

  it('is the working directory, unless `outputs` says otherwise', { tags: 'long' }, async () => {
    const file = join(folder, 'out.h5')
    for (const path of [file, relative(process.cwd(), file)])
      await expect(run(path)).rejects.toThrow(
        `layer 'out' (HDF5Output): cannot write '${path}': it lies outside '${process.cwd()}'; the option outputs says where a net may write`,
      )
    expect(readdirSync(folder)).toEqual([])
    for (const outputs of [folder, root, true]) {
      await run(file, { outputs })
      expect(startOf(file)).toBe(HDF5)
      rmSync(file)
    }
    await expect(run(file, { outputs: false })).rejects.toThrow(/the option outputs is false/)
    await expect(run('out.h5', { outputs: false })).rejects.toThrow(/the option outputs is false/)
    await expect(run(file, { outputs: 1 as never })).rejects.toThrow(
      'the option outputs is 1; it must be a folder, true or false',
    )
  })

  it('stays where a relative `outputs` was when the net was made', async () => {
    const home = process.cwd()
    const [here, there] = ['here', 'there'].map(name => join(folder, name))
    for (const path of [here, there]) mkdirSync(join(path, 'out'), { recursive: true })
    try {
      process.chdir(here)
      const net = await Net.create(writing(join(here, 'out/x.h5')), { engine: 'js', outputs: 'out' })
      process.chdir(there)
      await net.forward({ a: [1], b: [2] })
      expect([readdirSync(join(here, 'out')), readdirSync(join(there, 'out'))]).toEqual([['x.h5'], []])
    } finally {
      process.chdir(home)
    }
  })

  it('is left neither by .., nor by links, nor into the folder itself', async () => {
    const inside = join(folder, 'in')
    mkdirSync(inside)
    mkdirSync(join(folder, 'in2'))
    symlinkSync(folder, join(inside, 'up'))
    writeFileSync(join(folder, 'target'), 'x')
    symlinkSync(join(folder, 'target'), join(inside, 'link'))
    for (const path of ['../x.h5', 'up/x.h5', 'up/new/x.h5', 'a/../../in2/x.h5', '.'])
      await expect(run(`${inside}/${path}`, { outputs: inside })).rejects.toThrow(/it lies outside/)
    await expect(run(`${inside}/link`, { outputs: inside })).rejects.toThrow(/it is a symbolic link/)
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('x')
    await run(`${inside}/new/deep/x.h5`, { outputs: inside })
    expect(startOf(`${inside}/new/deep/x.h5`)).toBe(HDF5)
    await run(`${inside}/up/in/y.h5`, { outputs: inside })
    expect(startOf(`${inside}/y.h5`)).toBe(HDF5)
  })

  it('the option `files` covers it', async () => {
    const file = join(folder, 'out.h5')
    for (const files of [false, {}, { read: () => undefined }, () => undefined] as const) {
      await expect(run(file, { files })).rejects.toThrow(/the option files is given, which covers writing/)
      await expect(run('out.h5', { files })).rejects.toThrow(/the option files is given, which covers writing/)
    }
    const written: [string, number][] = []
    await run('/dev/out.h5', { files: { write: (path, bytes) => void written.push([path, bytes[1]]) } })
    expect(written).toEqual([['/dev/out.h5', 0x48]])
    expect(readdirSync(folder)).toEqual([])
  })

  it("a solver's snapshots keep to `outputs` and `files`, too, and find out before the work", {
    tags: 'long',
  }, async () => {
    const solve = async (options: Parameters<typeof createSolver>[1]) => {
      const solver = await createSolver(
        {
          net_param: parseNet(`
            layer { name: "d" type: "DummyData" top: "x" top: "y" dummy_data_param { shape { dim: 1 dim: 2 } shape { dim: 1 dim: 1 } } }
            layer { name: "ip" type: "InnerProduct" bottom: "x" top: "p" inner_product_param { num_output: 1 } }
            layer { name: "l" type: "EuclideanLoss" bottom: "p" bottom: "y" top: "loss" }`),
          base_lr: 0.1,
          lr_policy: 'fixed',
          max_iter: 1,
          snapshot_prefix: join(folder, 'snap'),
        },
        { engine: 'js', ...options },
      )
      await solver.solve().finally(() => solver.dispose())
    }
    for (const options of [{ outputs: false }, { outputs: join(folder, 'other') }, { files: false }] as const)
      await expect(solve(options)).rejects.toThrow(/(outputs|files) (is|says)/)
    expect(readdirSync(folder)).toEqual([])
    const written: string[] = []
    await solve({ files: { write: path => void written.push(path) } })
    expect(written).toEqual(['caffemodel', 'solverstate'].map(kind => join(folder, `snap_iter_1.${kind}`)))
    await solve({ outputs: folder })
    expect(readdirSync(folder).sort()).toEqual(['snap_iter_1.caffemodel', 'snap_iter_1.solverstate'])
  })
})

describe('two programs that write the same files', () => {
  it('leave those of one of them, whole', { tags: 'long' }, async () => {
    const paths = ['model', 'state'].map(name => join(folder, name))
    const write = (letter: string, lengths: number[]) =>
      writeFilesSafely(paths.map((path, i) => [path, Buffer.from(letter.repeat(lengths[i]))]))
    const left = new Set<string>()
    for (let round = 0; round < 20; round++) {
      // a large model holds up the one, a large state the other
      await Promise.all([write('a', [1 << 16, 10]), write('b', [20, 1 << (round % 17)]), write('c', [1, 1])])
      const found = paths.map(path => readFileSync(path, 'latin1'))
      const letter = found[0][0]
      expect(found.map(text => text.length)).toEqual(
        { a: [1 << 16, 10], b: [20, 1 << (round % 17)], c: [1, 1] }[letter],
      )
      for (const text of found) expect(text).toBe(letter.repeat(text.length))
      left.add(letter)
    }
    expect(left.size).toBeGreaterThan(0)
    expect(readdirSync(folder).sort()).toEqual(['model', 'state'])
  })

  it('wait for each other before the first is renamed', async () => {
    const paths = ['model', 'state'].map(name => join(folder, name))
    const lock = `${paths[0]}.lock`
    mkdirSync(lock)
    // not stale, however slow the machine
    const later = new Date(Date.now() + 3_600_000)
    utimesSync(lock, later, later)
    const writing = writeFilesSafely(paths.map(path => [path, Buffer.from('x')]))
    while (readdirSync(folder).filter(name => name.includes('.tmp-')).length < 2) await new Promise(setImmediate)
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
    expect(readdirSync(folder).filter(name => !name.includes('.tmp-'))).toEqual(['model.lock'])
    rmdirSync(lock)
    await writing
    expect(readdirSync(folder).sort()).toEqual(['model', 'state'])
  })

  it('do not wait for one that was killed', async () => {
    const paths = ['model', 'state'].map(name => join(folder, name))
    mkdirSync(`${paths[0]}.lock`)
    const long = new Date(Date.now() - 60_000)
    utimesSync(`${paths[0]}.lock`, long, long)
    await writeFilesSafely(paths.map(path => [path, Buffer.from('x')]))
    expect(readdirSync(folder).sort()).toEqual(['model', 'state'])
  })
})

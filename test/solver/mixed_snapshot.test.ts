import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { createSolver, FormatError, parseSolver } from '../../lib/index.js'

const folder = mkdtempSync(join(tmpdir(), 'ristretto-mixed-'))
afterAll(() => rmSync(folder, { recursive: true }))

const solver = (format: string) =>
  createSolver(
    parseSolver(`base_lr: 0.1 lr_policy: "fixed" snapshot_prefix: "${join(folder, format)}" snapshot_format: ${format}
      net_param { layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 1 dim: 4 }
      data_filler { type: "uniform" } } } layer { name: "ip" type: "InnerProduct" bottom: "x" top: "l" loss_weight: 1
      inner_product_param { num_output: 1 } } }`),
    { engine: 'js', seed: 1 },
  )

it.each(['BINARYPROTO', 'HDF5'])(
  'a state and the model of another snapshot are no pair (%s)',
  { tags: 'long' },
  async format => {
    const first = await solver(format)
    const paths: { model: string; state: string }[] = []
    for (let i = 0; i < 2; i++) {
      await first.step(1)
      paths.push((await first.snapshot()) as { model: string; state: string })
    }
    const [old, young] = paths
    const next = await solver(format)
    await next.restore(young.state)
    expect(next.iter).toBe(2)
    // what a reader sees between the two renames of a snapshot that goes under the same name
    const good = readFileSync(young.model)
    copyFileSync(old.model, young.model)
    const mixed = await solver(format)
    const before = [...mixed.net.params.ip[0].dataArray]
    const error = await mixed.restore(young.state).catch((error: Error) => error)
    expect(error).toBeInstanceOf(FormatError)
    expect((error as Error).message).toContain(
      `${young.state}: the model that lies there is not the one that was saved`,
    )
    expect([mixed.iter, ...mixed.net.params.ip[0].dataArray]).toEqual([0, ...before])
    // who names the model means it
    await mixed.restore(young.state, young.model)
    expect(mixed.iter).toBe(2)
    // one byte of a weight
    good[good.length - 1] ^= 1
    writeFileSync(young.model, good)
    await expect((await solver(format)).restore(young.state)).rejects.toThrow(
      'not the one that was saved with this state',
    )
    rmSync(young.model)
    await expect((await solver(format)).restore(young.state)).rejects.toThrow(/not found/)
  },
)

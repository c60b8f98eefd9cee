import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll } from 'vitest'
import type { Output } from '../../lib/cli/output.js'
import { run } from '../../lib/cli/program.js'

/** A folder of this test file's own, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ristretto-cli-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Run one command line in this process. */
export async function cli(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const collect = (add: (text: string) => void) =>
    new Writable({
      write(chunk, _encoding, done) {
        add(String(chunk))
        done()
      },
    })
  const output: Output = { out: collect(text => (out += text)), err: collect(text => (err += text)) }
  const code = await run(argv, output)
  return { code, out, err }
}

/** Two classes of noise around −1 and 1, a linear classifier, and a solver: files in `folder`. */
export function tinyProblem(folder: string, solver = ''): { solver: string; model: string; prefix: string } {
  const model = join(folder, 'tiny.prototxt')
  const prefix = join(folder, 'tiny')
  writeFileSync(
    model,
    `name: "Tiny"
    layer {
      name: "points" type: "DummyData" top: "data" top: "label"
      dummy_data_param {
        shape { dim: 4 dim: 3 } shape { dim: 4 }
        data_filler { type: "gaussian" mean: 1 std: 0.1 } data_filler { type: "constant" value: 1 }
      }
    }
    layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
    layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }`,
  )
  const file = join(folder, 'tiny_solver.prototxt')
  writeFileSync(
    file,
    `net: "${model}" base_lr: 0.1 lr_policy: "inv" gamma: 0.0001 power: 0.75 momentum: 0.9 weight_decay: 0.0005 random_seed: 7
    display: 10 max_iter: 30 test_iter: 3 test_interval: 15 snapshot_prefix: "${prefix}" ${solver}`,
  )
  return { solver: file, model, prefix }
}

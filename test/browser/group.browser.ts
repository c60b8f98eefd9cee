import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSolver, parseSolver } from '../../lib/index.js'
import { bundle, chromiumPath, openSite, type Site } from './harness.js'

const solver = (
  iterSize: number,
  name = 'own',
) => `base_lr: 0.1 lr_policy: "fixed" random_seed: 5 iter_size: ${iterSize} net_param {
  layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param { shape { dim: 3 dim: 4 } shape { dim: 3 dim: 2 }
    data_filler { type: "gaussian" } data_filler { type: "uniform" } } }
  layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
  layer { name: "${name}" type: "${name === 'power' ? 'Power' : 'Halve'}" bottom: "ip" top: "half" ${name === 'power' ? 'power_param { scale: 0.5 }' : ''} }
  layer { name: "loss" type: "EuclideanLoss" bottom: "half" bottom: "label" top: "loss" } }`

interface Answer {
  readonly ended?: { weights: number[]; size: number }[]
  readonly error?: string
}

describe.skipIf(chromiumPath === undefined)('workers of an isolated page', () => {
  let site: Site
  beforeAll(async () => {
    const [page, member] = await Promise.all([
      bundle('test/browser/group_page.ts'),
      bundle('test/browser/group_member.ts'),
    ])
    site = await openSite({ '/main.js': page, '/member.js': member })
  })
  afterAll(() => site?.close())
  const train = (workers: number, text: string) =>
    site.page.evaluate(
      ([workers, text]) =>
        (globalThis as unknown as { train(n: number, text: string): Promise<Answer> }).train(workers, text),
      [workers, text] as const,
    )

  test('train one net, to the bits of one worker', async () => {
    const one = await createSolver(parseSolver(solver(2, 'power')), { threads: 1 })
    await one.step(5)
    const { ended, error } = await train(2, solver(1))
    expect(error).toBeUndefined()
    expect(ended).toEqual(Array(2).fill({ weights: [...one.net.params['ip'][0].dataArray], size: 2 }))
  })

  test('a member that fails ends all, with its error', async () => {
    const { error } = await train(2, solver(1, 'broken'))
    expect(error).toContain("worker 1 of 2: layer 'broken' (Halve): no more of this")
  })
})

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/index.js'
import { goldenPath } from '../golden.js'
import { cli, temporaryFolder } from './helpers.js'

/** The 200 digits and a net with random weights. */
async function digits(folder: string): Promise<{ model: string; weights: string; names: string }> {
  const model = join(folder, 'digits.prototxt')
  writeFileSync(
    model,
    `name: "Digits"
    layer { name: "data" type: "Data" top: "data" top: "label" transform_param { scale: 0.00390625 }
      data_param { source: "${goldenPath('io/mnist_200_lmdb')}" batch_size: 64 backend: LMDB } }
    layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }`,
  )
  const net = await Net.create(model, { engine: 'js', seed: 3 })
  const weights = join(folder, 'digits.caffemodel')
  await net.save(weights)
  net.dispose()
  const names = join(folder, 'names.txt')
  writeFileSync(names, 'zero one two three four five six seven eight nine'.split(' ').join('\n'))
  return { model, weights, names }
}

describe('test, item by item', () => {
  const folder = temporaryFolder()
  const files = digits(folder)
  const run = async (...flags: string[]) => {
    const { model, weights } = await files
    return cli('test', '--model', model, '--weights', weights, '--engine', 'js', ...flags)
  }

  test('tables of classes, of what is taken for what, of the hardest and the wrong', async () => {
    const { names } = await files
    const flags = ['--confusion', '--per-class', '--top', '2', '--hardest', '3', '--wrong', '--labels', names]
    const { code, out, err } = await run(...flags)
    expect([code, err]).toEqual([0, ''])
    const lines = out.split('\n')
    expect(lines[0]).toBe('Items: 200')
    expect(lines.slice(3, 5).map(line => line.split(':')[0])).toEqual(['Top 1', 'Top 2'])
    const table = lines.indexOf('Rows: label. Columns: prediction.')
    expect(lines[table + 1].trim().split(/ +/)).toEqual(readFileSync(names, 'utf8').split('\n'))
    const cells = lines.slice(table + 3, table + 13).map(line =>
      line
        .split(/ +/)
        .slice(1)
        .map(cell => Number(cell) || 0),
    )
    expect(cells.flat().reduce((sum, count) => sum + count, 0)).toBe(200)
    const right = cells.reduce((sum, row, i) => sum + row[i], 0)
    expect(lines[2]).toBe(`Accuracy: ${right / 200}`)
    expect(out).toContain(`Misclassified: ${200 - right}`)
    expect(out).toMatch(
      /\nHardest\nitem +label +prediction +P\(label\) +loss\n─+\n00000\d{3} +\w+ +\w+ +0\.\d{4} +[\d.]+\n/,
    )
    expect(out).toMatch(/\nclass +items +correct +precision +recall +F1 +IoU\n/)
  })

  test('as JSON, and as a picture', async () => {
    const { out } = await run('--confusion', '--wrong', '--json')
    const { items, confusion, classes, wrong, accuracy } = JSON.parse(out)
    expect([items, confusion.length, classes.length]).toEqual([200, 10, 10])
    expect(wrong.length).toBe(Math.round(200 * (1 - accuracy)))
    expect(wrong[0]).toMatchObject({
      index: expect.any(Number),
      name: expect.stringMatching(/^\d{8}$/),
      labelName: expect.any(String),
    })
    const svg = join(folder, 'confusion.svg')
    const drawn = await run('--confusion', svg)
    expect(drawn.out).toContain(`${svg}: 10 classes`)
    const text = readFileSync(svg, 'utf8')
    expect(text).toContain('Digits')
    expect(text).toMatch(/\d taken for \d: \d+ \(\d+\.\d %\)/)
  })

  test('as many batches as are asked for; otherwise all the data once', async () => {
    expect((await run('--top', '1', '--iterations', '1')).out).toContain('Items: 64\n')
  })

  test('says what is wrong before it works', async () => {
    const { model } = await files
    expect(await run('--confusion', 'matrix.png')).toMatchObject({ code: 2, err: expect.stringContaining('.svg') })
    const nowhere = await run('--confusion', join(model, 'c.svg'))
    expect(nowhere.code).toBe(1)
    const few = join(folder, 'few.txt')
    writeFileSync(few, 'a\nb\n')
    expect((await run('--per-class', '--labels', few)).err).toContain(`few.txt has 2 names, the net has 10 classes`)
  })
})

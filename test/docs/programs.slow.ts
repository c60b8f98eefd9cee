/**
 * The commands in the tutorials, one after the other, as a reader types them; the pages show what they print. Run by
 * `npm run test:docs`.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadImage } from '../../lib/pycaffe/index.js'
import { bundled } from '../bundled.js'
import { expectSameText, readBlocks, root } from './blocks.js'

const folder = 'docs/tutorials'
const commands = readdirSync(join(root, folder))
  // your_own_pictures.test.ts runs its own
  .filter(name => name.endsWith('.md') && name !== 'your-own-pictures.md')
  .flatMap(name => readBlocks(`${folder}/${name}`))
  .filter(({ language }) => language === 'sh')

describe('Commands in the tutorials', () => {
  test.each(commands.map(block => [block.code, block] as const))('%s', async (command, { output }) => {
    // the command line from its source, so that it need not be built
    const [program, ...args] = command
      .replace('npx ristretto', 'npx tsx lib/cli/main.ts')
      .replaceAll('\\\n', ' ')
      .split(/\s+/)
      .slice(2)
    // layers that a command imports find the library by its name, so there it must be the one that tsx has loaded
    const how = args.includes('--layers')
      ? [join(root, 'node_modules/tsx/dist/cli.mjs'), program]
      : [await bundled(program)]
    const { status, stdout, stderr } = spawnSync(process.execPath, [...how, ...args], { cwd: root, encoding: 'utf8' })
    expect(status, stderr).toBe(0)
    if (output) expectSameText(stdout, output.text, output.rtol, command)
    claims[program]?.(stdout)
  })
})

describe('Pictures in the tutorials are those that the programs make', () => {
  test.each([
    ['occluded.png', 'occlusion'],
    ['boxes.png', 'ssd'],
    ['segments.png', 'segnet'],
    ['before.png', 'net-surgery'],
    ['after.png', 'net-surgery'],
    ['page.png', 'net-surgery'],
    ['heat_map.png', 'net-surgery'],
    ['detections.png', 'faster-rcnn'],
  ])('%s', async (name, example) => {
    const shown = await loadImage(join(root, folder, 'images', name))
    const made = await loadImage(join(root, 'examples-output', example, name))
    expect(made.shape).toEqual(shown.shape)
    const difference = made.data.reduce((sum, value, i) => sum + Math.abs(value - shown.data[i]), 0) / made.size
    // another processor's trained net may move the edge of a box by a pixel; a picture's own mirror image differs by 0.05 and more
    expect(difference).toBeLessThan(0.03)
  })
})

/** What the pages conclude from the numbers, which must hold on every machine. */
const claims: Record<string, (printed: string) => void> = {
  'docs/examples/faster-rcnn/train.ts': printed => {
    const [, map, recall] = /mAP ([\d.]+), recall ([\d.]+)/.exec(printed)!.map(Number)
    expect(map).toBeGreaterThan(0.9)
    expect(recall).toBeGreaterThan(0.95)
  },
  'docs/examples/segnet/train.ts': printed => {
    expect(Number(/mean IoU +([\d.]+)/.exec(printed)![1])).toBeGreaterThan(0.75)
  },
  'docs/examples/custom-layer/train.ts': printed => {
    expect(percentages(printed)[0]).toBeGreaterThan(94)
  },
  'docs/examples/occlusion/train.ts': printed => {
    const [whole, wholeOccluded, , occluded] = percentages(printed)
    expect(whole).toBeGreaterThan(95)
    // training on occluded pictures helps on occluded pictures, by a lot
    expect(occluded).toBeGreaterThan(wholeOccluded + 20)
  },
  'docs/examples/triplet/finetune.ts': printed => {
    const [, rankingBefore, , heldOutBefore, , rankingAfter, nearest, heldOutAfter] = percentages(printed)
    expect(rankingAfter).toBeGreaterThan(Math.max(98, rankingBefore))
    // digits that no training has seen lie farther apart than before
    expect(heldOutAfter).toBeGreaterThan(heldOutBefore + 2)
    expect(nearest).toBeGreaterThan(94)
    expect(printed).toContain('has not moved')
  },
}

const percentages = (text: string): number[] => [...text.matchAll(/([\d.]+) %/g)].map(match => Number(match[1]))

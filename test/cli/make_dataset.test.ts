import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { importDeflate } from '../../lib/data/inflate.js'
import { writePng } from '../../lib/data/png.js'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()
const deflate = await importDeflate()
const photos = join(folder, 'photos')
for (const [k, name] of ['cat', 'dog'].entries()) {
  mkdirSync(join(photos, name), { recursive: true })
  for (let i = 0; i < 8; i++) {
    const image = { channels: 1, height: 6, width: 8, data: new Uint8Array(48).fill(100 * k + i) }
    writeFileSync(join(photos, name, `${i}.png`), writePng(image, deflate))
  }
}

describe('make-dataset', () => {
  it('says what it made', async () => {
    const data = join(folder, 'data')
    const { code, out, err } = await cli('make-dataset', photos, '--output', data, '--size', '5x4', '--gray')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(
      out.replaceAll(folder, '').replace(/mean 5\d\.\d\d\n/, 'mean x\n'),
    ).toBe(`5×4 pixels (squash), grey (1 channel)
/data/train_db: 12 pictures, 6 of each class
/data/val_db: 4 pictures, 2 of each class
/data/labels.txt: 0 cat, 1 dog
/data/mean.binaryproto: mean x
/data/summary.json
`)
    const again = await cli('make-dataset', photos, '--output', data, '--gray')
    expect(again).toMatchObject({
      code: 1,
      err: expect.stringMatching(/data' holds 'train_db', .* already: --overwrite replaces them, or --output/),
    })
    expect((await cli('make-dataset', photos, '--output', data, '--gray', '--overwrite')).code).toBe(0)
  })

  it('--json is the summary that it wrote; what is left out is told', async () => {
    const data = join(folder, 'told')
    for (let i = 0; i < 13; i++) writeFileSync(join(photos, 'cat', `note${i}.txt`), 'x')
    const { code, out, err } = await cli('make-dataset', photos, '--output', data, '--json', '--val=0')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual(JSON.parse(readFileSync(join(data, 'summary.json'), 'utf8')))
    expect(err.match(/^left out cat\/note\d+\.txt: /gm)).toHaveLength(10)
    expect(err).toContain('… and 3 more files')
  })

  it('says on Ctrl-C how far it came, and that the same command goes on', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never)
    try {
      const before = process.listenerCount('SIGINT')
      const run = cli('make-dataset', photos, '--output', join(folder, 'stopped'), '--gray')
      while (process.listenerCount('SIGINT') === before) await new Promise(resolve => setImmediate(resolve))
      process.emit('SIGINT')
      expect(exit).toHaveBeenCalledWith(130)
      // whose end is no end here
      expect((await run).err).toMatch(/^stopped after \d+ pictures, no dataset was written/m)
      expect(process.listenerCount('SIGINT')).toBe(before)
    } finally {
      exit.mockRestore()
    }
  })

  it.each([
    [['--size', '0x4'], 2, /--size.*as in 64x48/],
    [['--size', 'big'], 2, /--size/],
    [['--resize', 'zoom'], 2, /squash, crop, fill, half-crop/],
    [['--root', '.'], 1, /--root goes with a list/],
    [['--val-list', 'v.txt'], 1, /--val-list goes with a list/],
    [['--val', '0.5', '--test', '0.5'], 1, /leave nothing to train on/],
  ])('refuses %j', async (flags, code, error) => {
    const data = join(folder, 'refused')
    expect(await cli('make-dataset', photos, '--output', data, ...flags)).toMatchObject({
      code,
      err: expect.stringMatching(error),
    })
    expect(existsSync(data)).toBe(false)
  })

  it('names what is not there, and needs an output', async () => {
    const missing = await cli('make-dataset', join(folder, 'no'), '--output', join(folder, 'x'))
    expect(missing).toMatchObject({ code: 1, err: expect.stringMatching(/not found: '.*no'/) })
    expect((await cli('make-dataset', photos)).code).toBe(2)
  })
})

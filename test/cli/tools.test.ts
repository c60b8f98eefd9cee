import { join } from 'node:path'
import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { run } from '../../lib/cli/program.js'
import { goldenPath } from '../golden.js'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()

const tools = [
  'studio',
  'new',
  'train',
  'test',
  'find-lr',
  'time',
  'classify',
  'detect',
  'archive',
  'show',
  'extract-features',
  'make-dataset',
  'convert-mnist',
  'convert-imageset',
  'convert-annoset',
  'compute-image-mean',
  'convert',
  'upgrade-net',
  'upgrade-solver',
  'draw',
  'parse-log',
  'plot-log',
  'summarize',
  'check',
  'check-layer',
  'device-query',
]

describe('every command', () => {
  it('is in the help, in this order', async () => {
    const { out } = await cli('--help')
    const listed = [...out.matchAll(/^ {2}([a-z][a-z-]+) /gm)].map(match => match[1])
    expect(listed.filter(name => name !== 'ristretto' && name !== 'help')).toEqual(tools)
  })

  it.each(tools)('%s --help shows an example and says what each argument is', async command => {
    const { code, out } = await cli(command, '--help')
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`Examples?:\n {2}ristretto ${command} `))
    // flags in it are explained among the options
    const usage = out.slice(0, out.indexOf('\n')).replaceAll(/--\w+ <\w+>/g, '')
    for (const [, name] of usage.matchAll(/[<[]([a-z]+)(?:\.\.\.)?[>\]]/g))
      if (name !== 'options') expect(out).toMatch(new RegExp(`^ {2}${name} {2,}\\S`, 'm'))
  })

  it.each(tools)('%s with an unknown flag ends with code 2', async command => {
    const { code, out, err } = await cli(command, '--explode')
    expect({ code, out }).toEqual({ code: 2, out: '' })
    // whichever of the two is noticed first
    expect(err).toMatch(/^error: (unknown option '--explode'|required option)/)
  })
})

describe('on a terminal', () => {
  class Terminal extends Writable {
    readonly isTTY = true
    readonly columns = 100
    text = ''
    override _write(chunk: Buffer, _encoding: string, done: () => void): void {
      this.text += String(chunk)
      done()
    }
  }
  const images = goldenPath('io/images')
  const net = [goldenPath('io/classifier.prototxt'), goldenPath('io/classifier.caffemodel')]

  it.each([
    ['Converting', ['convert-imageset', images, join(images, 'list.txt'), join(folder, 'db')], /db: 6 records\n$/],
    ['Adding up', ['compute-image-mean', goldenPath('io/images_raw_lmdb')], /4 records of 3×20×24\n/],
    [
      'Classifying',
      ['classify', ...net, images, '--engine', 'js', '--top', '1'],
      /Prediction for .*g5\.png -{10}\n[01]\.\d{4} - "\d"\n/,
    ],
  ])('%s … has a progress bar, which goes away', async (title, argv, left) => {
    const terminal = new Terminal()
    expect(await run(argv, { out: terminal, err: terminal })).toBe(0)
    expect(terminal.text).toMatch(new RegExp(`${title} [█░]+ +\\d+ % +\\d/\\d`))
    expect(terminal.text.lastIndexOf('\x1b[?25h')).toBeGreaterThan(terminal.text.lastIndexOf('\x1b[?25l'))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's control sequences
    expect(terminal.text.replace(/\x1b\[[\d;?]*[A-Za-z]/g, '')).toMatch(left)
  })

  it('curves have colours there, unless NO_COLOR is set', async () => {
    const draw = async () => {
      const terminal = new Terminal()
      expect(await run(['plot-log', goldenPath('logs/caffe_train_lenet.log')], { out: terminal, err: terminal })).toBe(
        0,
      )
      return terminal.text
    }
    expect(await draw()).toContain('\x1b[33m●\x1b[0m test loss')
    process.env['NO_COLOR'] = '1'
    try {
      expect(await draw()).not.toContain('\x1b')
    } finally {
      delete process.env['NO_COLOR']
    }
  })
})

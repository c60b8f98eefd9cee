import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { normalizeArguments } from '../../lib/cli/gflags.js'

const program = new Command('ristretto').option('--debug')
program
  .command('train')
  .option('--solver <file>')
  .option('--sigint-effect <effect>')
  .option('--level <n>')
  .option('--plain')
  .option('-k, --keep')
program.command('upgrade-net').aliases(['upgrade-net-proto-text', 'upgrade-net-proto-binary']).argument('[files...]')
program.command('convert-mnist').argument('[files...]').option('--output <folder>')

const normal = (line: string) => normalizeArguments(program, line.split(' ')).join(' ')

describe('gflags spelling', () => {
  it.each([
    ['train --solver a.prototxt', 'train --solver a.prototxt'],
    ['train -solver a.prototxt', 'train --solver a.prototxt'],
    ['train --solver=a.prototxt', 'train --solver=a.prototxt'],
    ['train -solver=a=b', 'train --solver=a=b'],
    ['train --sigint_effect stop', 'train --sigint-effect stop'],
    ['train -sigint_effect=none -solver x', 'train --sigint-effect=none --solver x'],
    ['train -plain -solver x', 'train --plain --solver x'],
    ['train --plain=true', 'train --plain'],
    ['train --plain=false', 'train'],
    ['train --plain --noplain', 'train'],
    ['train --noplain --plain', 'train --plain'],
    ['train -level -1', 'train --level -1'],
    ['train -solver -odd-name', 'train --solver -odd-name'],
    ['train -k', 'train -k'],
    ['train -h', 'train -h'],
    ['train --no-such-flag=1', 'train --no-such-flag=1'],
    ['-solver x train', 'train --solver x'],
    ['--solver=x -plain train', 'train --solver=x --plain'],
    ['-debug train', 'train --debug'],
    ['convert_mnist a b c', 'convert-mnist a b c'],
    ['upgrade_net_proto_text a b', 'upgrade-net a b'],
    ['-debug upgrade-net-proto-binary a b', 'upgrade-net --debug a b'],
    ['convert-mnist -output train a', 'convert-mnist --output train a'],
    ['train -plain -- -solver x_y', 'train --plain -- -solver x_y'],
    ['nothing -a_b', 'nothing --a-b'],
    // glog's
    ['-logtostderr train --log_dir=logs -solver x --minloglevel 1', 'train --solver x'],
    ['train --alsologtostderr=1 --nolog_prefix -log_dir logs -solver x', 'train --solver x'],
    ['train -solver -log_dir -plain', 'train --solver -log_dir --plain'],
    ['train -solver x -- -log_dir y', 'train --solver x -- -log_dir y'],
  ])('%s', (line, expected) => {
    expect(normal(line)).toBe(expected)
  })
})

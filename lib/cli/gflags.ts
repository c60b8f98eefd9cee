import type { Command, Option } from 'commander'

/**
 * Caffe's tools read their flags with gflags, commander reads GNU style. Both work here: `-solver x`, `-solver=x`,
 * `--solver=x`, `--sigint_effect stop`, `--plain=false`, `--noplain`, and flags before the command become what
 * commander expects. glog's flags, which every tool of Caffe's takes, are left out: where the log goes is the shell's
 * business.
 */
export function normalizeArguments(program: Command, argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  const rest = end < 0 ? [] : argv.slice(end)
  const words = commandFirst(program, withoutGlog(program, end < 0 ? argv : argv.slice(0, end)))
  const command = findCommand(program, words[0]) ?? program
  const known = [...program.options, ...command.options]
  const normal: string[] = []
  for (let i = 0; i < words.length; i++) {
    const flag = parseFlag(words[i])
    if (!flag) {
      normal.push(words[i])
      continue
    }
    const option = known.find(option => namesOf(option).includes(flag.name))
    const negated = flag.name.startsWith('no')
      ? known.find(o => namesOf(o).includes(flag.name.slice(2)) && isFlag(o))
      : undefined
    if (!option && negated) setFlag(normal, negated, false)
    else if (option && isFlag(option) && flag.value !== undefined && isBoolean(flag.value))
      setFlag(normal, option, isTrue(flag.value) !== option.negate)
    else {
      normal.push(flag.value === undefined ? `--${flag.name}` : `--${flag.name}=${flag.value}`)
      // the next word is the flag's value, whatever it looks like
      if (option?.required && flag.value === undefined && i + 1 < words.length) normal.push(words[++i])
    }
  }
  return [...normal, ...rest]
}

/**
 * The first word that looks like a flag and is none of the command's; undefined if there is none. Looked for before
 * commander does, which says first what is missing: of `train --solvr x` it misses --solver.
 * @param words as normalizeArguments gives them
 */
export function unknownFlag(
  program: Command,
  words: readonly string[],
): { command: Command; flag: string } | undefined {
  const command = findCommand(program, words[0])
  if (!command) return undefined
  const known = [...program.options, ...command.options]
  for (let i = 1; i < words.length && words[i] !== '--'; i++) {
    const [flag, value] = words[i].split('=', 2)
    if (!/^-(?:-[a-z]|[a-zA-Z]$)/.test(flag) || flag === '--help' || flag === '-h') continue
    const option = known.find(({ long, short }) => flag === long || flag === short)
    if (!option) return { command, flag }
    if (option.required && value === undefined) i++
  }
  return undefined
}

const glogSwitches = ['logtostderr', 'alsologtostderr', 'colorlogtostderr', 'log-prefix', 'stop-logging-if-full-disk']
const glogValues = ['log-dir', 'minloglevel', 'stderrthreshold', 'logbufsecs', 'max-log-size', 'vmodule']

function withoutGlog(program: Command, words: readonly string[]): string[] {
  const valued = [...program.options, ...program.commands.flatMap(command => command.options)].filter(
    option => option.required,
  )
  const rest: string[] = []
  for (let i = 0; i < words.length; i++) {
    const flag = parseFlag(words[i])
    const name = flag?.name ?? ''
    const takesNext = flag?.value === undefined
    if (glogSwitches.includes(name) || glogSwitches.includes(name.replace(/^no/, ''))) continue
    if (glogValues.includes(name)) {
      if (takesNext) i++
      continue
    }
    rest.push(words[i])
    // a value may look like a flag
    if (takesNext && i + 1 < words.length && valued.some(option => namesOf(option).includes(name)))
      rest.push(words[++i])
  }
  return rest
}

/** gflags takes flags anywhere; commander wants the command's name before the command's flags. */
function commandFirst(program: Command, words: readonly string[]): string[] {
  const known = [...program.options, ...program.commands.flatMap(command => command.options)]
  for (let i = 0; i < words.length; i++) {
    const flag = parseFlag(words[i])
    if (!flag) {
      const command = findCommand(program, words[i])
      return command ? [command.name(), ...words.slice(0, i), ...words.slice(i + 1)] : [...words]
    }
    if (flag.value === undefined && known.find(option => namesOf(option).includes(flag.name))?.required) i++
  }
  return [...words]
}

/**
 * Commands may be spelled with underscores too, convert_mnist, and under the names of Caffe's tools,
 * upgrade_net_proto_text.
 */
const findCommand = (program: Command, word: string | undefined): Command | undefined =>
  program.commands.find(command => [command.name(), ...command.aliases()].includes(word?.replaceAll('_', '-') ?? ''))

/** `-name`, `--name`, with or without `=value`; one letter after one dash stays what it is (-h). */
function parseFlag(word: string): { name: string; value?: string } | undefined {
  const match = /^--?([A-Za-z][A-Za-z0-9_-]+)(?:=([\s\S]*))?$/.exec(word)
  return match ? { name: match[1].replaceAll('_', '-'), value: match[2] } : undefined
}

const namesOf = (option: Option): string[] => (option.long ? [option.long.slice(2)] : [])
const isFlag = (option: Option): boolean => !option.required && !option.optional
const isBoolean = (value: string): boolean => /^(true|false|t|f|yes|no|y|n|1|0)$/i.test(value)
const isTrue = (value: string): boolean => /^(true|t|yes|y|1)$/i.test(value)

/** The last mention of a flag wins, as in gflags; false is the same as leaving it out. */
function setFlag(words: string[], option: Option, value: boolean): void {
  for (let i = words.indexOf(option.long!); i >= 0; i = words.indexOf(option.long!)) words.splice(i, 1)
  if (value) words.push(option.long!)
}

import type { Layer } from '../../layer.js'
import { parseParamStr } from '../../proto/param_str.js'
import { listNames } from '../../system/names.js'

type Setting = number | boolean | readonly number[]
/** A list of one number is a list, too. */
type Settings<D> = {
  [K in keyof D]: D[K] extends readonly number[] ? readonly number[] : D[K] extends number ? number : boolean
}

/**
 * A layer's param_str over defaults, whose types it must keep. What is not among them is of no use here, and said so: the
 * Python layers read what they know and leave the rest.
 */
export function settingsOf<const D extends Record<string, Setting>>(layer: Layer, defaults: D): Settings<D> {
  const settings: Record<string, Setting> = { ...defaults }
  for (const [key, value] of Object.entries(parseParamStr(layer.paramStr))) {
    if (!Object.hasOwn(defaults, key)) {
      layer.context.log(
        `layer '${layer.name}': param_str has ${key}, which this layer does not read; it reads ${listNames(Object.keys(defaults))}`,
      )
      continue
    }
    const wanted = defaults[key]
    const given = Array.isArray(wanted) && typeof value === 'number' ? [value] : value
    const fits = Array.isArray(wanted)
      ? Array.isArray(given) && given.every(item => typeof item === 'number')
      : typeof given === typeof wanted
    if (!fits)
      throw layer.error(
        `param_str gives ${key} as ${JSON.stringify(value)}: it must be ${Array.isArray(wanted) ? 'a list of numbers' : `a ${typeof wanted}`}, as ${JSON.stringify(wanted)} is`,
        'python_param',
      )
    settings[key] = given as Setting
  }
  return settings as Settings<D>
}

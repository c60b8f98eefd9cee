/** Colours of values: 256 a palette, three bytes each. */

export type PaletteName = 'grey' | 'viridis' | 'cividis'

const STOPS: Readonly<Record<PaletteName, readonly string[]>> = {
  grey: ['000000', 'ffffff'],
  viridis: ['440154', '482878', '3e4989', '31688e', '26828e', '1f9e89', '35b779', '6ece58', 'b5de2b', 'fde725'],
  cividis: ['00224e', '123570', '3b496c', '575d6d', '707173', '8a8678', 'a59c74', 'c3b369', 'e1cc55', 'fee838'],
}

const made = new Map<PaletteName, Uint8Array>()

/** The palette: value v has the colour at 3v. */
export function palette(name: PaletteName): Uint8Array {
  const known = made.get(name)
  if (known) return known
  const stops = STOPS[name].map(text => [0, 2, 4].map(at => Number.parseInt(text.slice(at, at + 2), 16)))
  const colors = new Uint8Array(256 * 3)
  for (let value = 0; value < 256; value++) {
    const at = (value / 255) * (stops.length - 1)
    const from = Math.min(Math.floor(at), stops.length - 2)
    for (let channel = 0; channel < 3; channel++)
      colors[3 * value + channel] = Math.round(
        stops[from][channel] + (stops[from + 1][channel] - stops[from][channel]) * (at - from),
      )
  }
  made.set(name, colors)
  return colors
}

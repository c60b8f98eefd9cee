/** '2×3 4' as the shapes [2, 3] and [4]. */
export const shapesOf = (text: string): number[][] => text.split(' ').map(shape => shape.split('×').map(Number))

/** The prototxt of an Input layer whose blob has its name: `inputLayer('x', '2×3')`, or the sizes as a list. */
export function inputLayer(name: string, shape: string | readonly number[]): string {
  const dims = (typeof shape === 'string' ? shapesOf(shape)[0] : shape).map(dim => `dim: ${dim}`)
  return `layer { name: "${name}" type: "Input" top: "${name}" input_param { shape { ${dims.join(' ')} } } }`
}

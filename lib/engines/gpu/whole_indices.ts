/** How a shader language writes what is looked for here. */
export interface Dialect {
  readonly int: string
  readonly float: string
  /** Begins the declaration of a float variable, up to its name, and what stands between the name and the value. */
  readonly variable: string
  readonly assigned: string
  /** The declaration of a whole number that does not change. */
  readonly whole: (name: string, value: string) => string
  /** Begins the declaration of a float that does not change. */
  readonly constant: string
}

export const wgsl: Dialect = {
  ...{ int: 'i32', float: 'f32', variable: 'var ', assigned: ' : f32 = ', constant: 'let ' },
  whole: (name, value) => `let ${name} : i32 = ${value};`,
}
export const glsl: Dialect = {
  ...{ int: 'int', float: 'float', variable: 'float ', assigned: '=', constant: 'float ' },
  whole: (name, value) => `int ${name}=${value};`,
}

/**
 * gpu.js keeps every variable but loop counters as a float, and converts it at each access that it is an index of. This
 * makes the whole number once, where the variable is declared, and lets the accesses add to that: `i32((at+3.0))`
 * becomes `(at_i+3)`. Right for kernels whose indices are sums of whole numbers, which those of `generatedKernel` are.
 */
export function wholeIndices(text: string, { int, float, variable, assigned, whole, constant }: Dialect): string {
  const declarations = new RegExp(`\\b${variable}(user_\\w+)${assigned}([^;]*);`, 'g')
  const changes = new RegExp(`(${variable})?\\b(user_\\w+)\\s*(?::\\s*\\w+\\s*)?(?:[-+*/]?=(?!=)|\\+\\+|--)`, 'g')
  const changed = new Set([...text.matchAll(changes)].filter(match => match[1] === undefined).map(match => match[2]))
  const fixed = new Set([...text.matchAll(declarations)].map(match => match[1]).filter(name => !changed.has(name)))
  const used = new Set<string>()
  const accesses = new RegExp(
    `\\b${int}\\((?:(user_\\w+)|\\((user_\\w+)\\+(?:(\\d+)\\.0|${float}\\((user_\\w+)\\))\\))\\)`,
    'g',
  )
  const shorter = text.replace(accesses, (all, alone?: string, base?: string, offset?: string, counter?: string) => {
    const name = alone ?? base!
    if (!fixed.has(name)) return all
    used.add(name)
    return alone ? `${name}_i` : `(${name}_i+${offset ?? counter})`
  })
  return shorter.replace(declarations, (all, name: string, value: string) => {
    if (!fixed.has(name)) return all
    const declared = `${constant}${name}${assigned}${value};`
    return used.has(name) ? `${declared} ${whole(`${name}_i`, `${int}(${name})`)}` : declared
  })
}

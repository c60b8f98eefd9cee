import { FormatError } from '../../errors.js'

/** JavaScript of a file in which imports are calls of `require`; lines stay where they are. */
export async function compileLayer(file: string, source: string): Promise<string> {
  const { transform } = await import('../../generated/sucrase.js')
  const isTypeScript = /\.[cm]?ts$/.test(file)
  try {
    const { code } = transform(source, {
      transforms: isTypeScript ? ['typescript', 'imports'] : ['imports'],
      disableESTransforms: true,
      filePath: file,
    })
    return code
  } catch (error) {
    throw placed(file, source, error as Error & { loc?: { line: number; column: number } })
  }
}

function placed(file: string, source: string, error: Error & { loc?: { line: number; column: number } }): FormatError {
  const message = error.message.replace(/^Error transforming .*?: /, '').replace(/ \(\d+:\d+\)$/, '')
  const { line, column } = error.loc ?? { line: 1, column: 1 }
  return codeError(file, source, message, line, column, error)
}

/** An error at a place of a file of code. */
export function codeError(
  file: string,
  source: string,
  message: string,
  line: number,
  column: number,
  cause: unknown,
): FormatError {
  const sourceLine = source.split('\n')[line - 1] ?? ''
  const rest = /^\w+|^./.exec(sourceLine.slice(column - 1))?.[0] ?? ''
  const place = { file, line, column, length: Math.max(1, rest.length), sourceLine }
  return new FormatError(`${file}:${line}: ${message}`, { place, cause })
}

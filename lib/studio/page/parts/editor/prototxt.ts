import { StreamLanguage } from '@codemirror/language'
import { tags } from '@lezer/highlight'

/** Colours of prototxt: names before ':' or '{', strings, numbers, enum values, comments. */
export const prototxt = StreamLanguage.define<null>({
  name: 'prototxt',
  startState: () => null,
  token(stream) {
    if (stream.eatSpace()) return null
    if (stream.match(/^#.*/)) return 'comment'
    if (stream.match(/^"(?:[^"\\]|\\.)*"?|^'(?:[^'\\]|\\.)*'?/)) return 'string'
    if (stream.match(/^-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?f?\b/i)) return 'number'
    if (stream.match(/^[A-Za-z_]\w*(?=\s*[{<])/)) return 'block'
    if (stream.match(/^[A-Za-z_]\w*(?=\s*:)/)) return 'field'
    if (stream.match(/^(?:true|false)\b/) || stream.match(/^[A-Z][A-Z0-9_]*\b/)) return 'constant'
    if (stream.match(/^[A-Za-z_]\w*/)) return null
    stream.next()
    return 'punctuation'
  },
  tokenTable: {
    comment: tags.comment,
    string: tags.string,
    number: tags.number,
    block: tags.keyword,
    field: tags.propertyName,
    constant: tags.atom,
    punctuation: tags.punctuation,
  },
  languageData: { commentTokens: { line: '#' }, closeBrackets: { brackets: ['{', '"'] } },
})

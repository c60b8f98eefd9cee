// Names in error messages: which one was meant, and lists that leave room for the advice.

/**
 * The candidate with the fewest insertions, deletions, replacements and swaps of neighbours; `close` where these are so
 * few that it must have been meant: one in four letters, not the first, and no number in it differs. A wrong guess sends people astray.
 * @param onlyClose nothing is asked of candidates that cannot be close; '' where none is
 */
export function nearestName(
  name: string,
  candidates: readonly string[],
  onlyClose = false,
): { name: string; close: boolean } {
  const wanted = name.slice(0, 80).toLowerCase()
  let best = ''
  let least = onlyClose ? wanted.length / 4 + 1 : Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    // a text may hold very many names that are none
    if (Math.abs(candidate.length - wanted.length) >= least) continue
    const edits = editDistance(wanted, candidate.toLowerCase())
    if (edits < least) {
      least = edits
      best = candidate
    }
  }
  // what all names of a kind end in tells none from another
  const stem = Math.min(wanted.replace(KIND, '').length, best.replace(KIND, '').length)
  const sameNumbers = wanted.replace(/\D/g, '') === best.replace(/\D/g, '')
  const sameStart = wanted[0] === best[0]?.toLowerCase()
  return { name: best, close: sameStart && sameNumbers && least <= stem / 4 }
}

const KIND = /(?<=.)(?:_param|_filler|loss|data|layer)$/i

/** `; did you mean 'x'?` where one of the known names is close, else nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = nearestName(name, known, true)
  return near.close ? `; did you mean '${near.name}'?` : ''
}

/** So many names are soon read. */
export const LISTED = 12

/** What a name that is none of these may have been: `; did you mean 'x'?`, and all of them where they are few or none is close. */
export function oneOf(name: string, known: readonly string[]): string {
  const near = didYouMean(name, known)
  return near && known.length > LISTED ? near : `${near}; it is one of ${listNames(known)}`
}

/** `a, b, c`, of many only the first; `none` where there are none. */
export function listNames(names: readonly string[], none = '(none)'): string {
  if (names.length <= LISTED) return names.join(', ') || none
  return `${names.slice(0, LISTED).join(', ')} and ${names.length - LISTED} more`
}

/** Levenshtein's distance, with a swap of neighbours as one edit. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        next[j] = Math.min(next[j], before[j - 2] + 1)
    }
    before = row
    row = next
  }
  return row[b.length]
}

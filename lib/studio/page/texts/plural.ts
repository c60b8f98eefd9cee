/** A number with its noun. */
export const plural = (items: number | string, one: string, many: string): string =>
  `${items} ${Number(items) === 1 ? one : many}`

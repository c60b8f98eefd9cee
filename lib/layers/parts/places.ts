/** For each axis of the top, the place of the bottom that each of its places takes, −1 for none; undefined: all of them. */
export type Places = readonly (readonly number[] | undefined)[]

/** The places of an axis in reverse. */
export const reversed = (size: number): number[] => Array.from({ length: size }, (_, i) => size - 1 - i)

/** For each axis of the top, the place of the bottom that each of its places takes, −1 for none; undefined: all of them. */
export type Places = readonly (readonly number[] | undefined)[]

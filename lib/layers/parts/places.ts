/** For each axis of the top, the place of the bottom that each of its places takes; −1 is none. */
export type Places = readonly (readonly number[])[]

/** 0, 1, 2 … size − 1: the whole axis. */
export const whole = (size: number): number[] => Array.from({ length: size }, (_, i) => i)

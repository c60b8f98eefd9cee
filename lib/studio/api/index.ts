/** The contract between pages and what computes for them. */
export type * from './forms.js'
export type * from './jobs.js'
export type * from './looking.js'
export type * from './names.js'
export * from './studio.js'

/** `20261129-0131-k7f3`: when the job was made, and four letters. */
export type JobId = string

/** The databases of a dataset. */
export type SetName = 'train' | 'val' | 'test'

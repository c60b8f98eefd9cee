/** How to get at oneDNN; travels to the workers. */
export interface OnednnBinding {
  /** Where the koffi package is. */
  readonly koffi: string
  readonly file: string
  /** Address of the library's engine object, which all threads share. */
  readonly engine: number
}

/** Random access to the bytes of a file that may be far larger than memory. */
export interface ByteSource {
  /** For error messages. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** `length` bytes from `offset`: a view that holds them until the next read. */
  read(offset: number, length: number): Uint8Array
  /** Give the file back; reading after that is an error. */
  close(): void
}

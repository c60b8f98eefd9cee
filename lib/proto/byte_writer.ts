const encoder = new TextEncoder()
const NOTHING = new Uint8Array(0)
/** Small things are written into pieces of this size. */
const PIECE = 4096

/** The wire format's numbers, texts and tags, one after the other; large blocks are copied once, by `finish`. */
export class ByteWriter {
  /** Bytes of all that is in `parts`. */
  private length = 0
  private readonly parts: Uint8Array[] = []
  /** The piece that is being filled: what lies from `from` to `at` is not in `parts` yet. */
  private piece = NOTHING
  private view = new DataView(NOTHING.buffer)
  private from = 0
  private at = 0

  uint32(value: number): void {
    const at = this.room(5)
    this.at = this.bits(at, value >>> 0)
  }

  /** A signed integer that a number can hold: negative ones take ten bytes. */
  int64(value: number): void {
    let at = this.room(10)
    const low = value >>> 0
    // two's complement, whose high half is the floor
    let high = Math.floor(value / 2 ** 32) >>> 0
    if (high === 0) {
      this.at = this.bits(at, low)
      return
    }
    for (let shift = 0; shift < 28; shift += 7) this.piece[at++] = (low >>> shift) | 128
    const middle = (low >>> 28) | ((high & 7) << 4)
    high >>>= 3
    this.piece[at++] = high ? middle | 128 : middle
    this.at = high ? this.bits(at, high) : at
  }

  float(value: number): void {
    const at = this.room(4)
    this.view.setFloat32(at, value, true)
    this.at = at + 4
  }

  double(value: number): void {
    const at = this.room(8)
    this.view.setFloat64(at, value, true)
    this.at = at + 8
  }

  /** UTF-8 behind its size. */
  string(text: string): void {
    this.bytes(encoder.encode(text))
  }

  /** Bytes behind their size. */
  bytes(bytes: Uint8Array): void {
    this.uint32(bytes.length)
    if (bytes.length > PIECE / 2) this.block(bytes)
    else {
      const at = this.room(bytes.length)
      this.piece.set(bytes, at)
      this.at = at + bytes.length
    }
  }

  /** Bytes as they are, which must not change before `finish`. */
  block(bytes: Uint8Array): void {
    this.flush()
    this.parts.push(bytes)
    this.length += bytes.length
  }

  /** What `write` writes, with its size before it, which is known only afterwards. */
  sized(write: () => void): void {
    this.flush()
    const place = this.parts.push(NOTHING) - 1
    const before = this.length
    write()
    this.flush()
    this.uint32(this.length - before)
    this.parts[place] = this.taken()
  }

  /** Bytes so far. */
  get size(): number {
    return this.length + this.at - this.from
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.flush()
    const bytes = new Uint8Array(this.length)
    let at = 0
    for (const part of this.parts) {
      bytes.set(part, at)
      at += part.length
    }
    return bytes
  }

  /** Seven bits a byte; where they end. */
  private bits(at: number, value: number): number {
    while (value > 127) {
      this.piece[at++] = (value & 127) | 128
      value >>>= 7
    }
    this.piece[at++] = value
    return at
  }

  /** Have room for so many bytes; where they go. */
  private room(count: number): number {
    if (this.at + count > this.piece.length) {
      this.flush()
      this.piece = new Uint8Array(PIECE)
      this.view = new DataView(this.piece.buffer)
      this.from = this.at = 0
    }
    return this.at
  }

  private flush(): void {
    if (this.at > this.from) this.parts.push(this.taken())
  }

  private taken(): Uint8Array {
    const bytes = this.piece.subarray(this.from, this.at)
    this.from = this.at
    this.length += bytes.length
    return bytes
  }
}

/** Programs of a site, as their addresses. */
export interface Programs {
  readonly hub: string
  readonly job: string
  readonly inspector: string
  /** A list of the parts of the program for code from elsewhere, in order, and the page of the frame that it runs in. */
  readonly sandbox: string
  readonly frame: string
}

/** What a page tells its hub first. */
export interface HubConfig {
  readonly programs: Programs
  readonly version: string
  /** Where frames are asked for. */
  readonly frames: MessagePort
}

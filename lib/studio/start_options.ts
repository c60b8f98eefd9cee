/** What a server of Studio is started with. */
export interface StartOptions {
  /** Folder of the project; it is made where there is none. */
  readonly root: string
  /** Address to listen on; default 127.0.0.1, which only this machine reaches. */
  readonly host?: string
  /** Default 5151; 0 is any that is free. */
  readonly port?: number
  /** Trainings at once; default 1. */
  readonly trainings?: number
  /** Cores that they share; default those that the process may use. */
  readonly threads?: number
  /** Folders of which pages may name files, and which jobs may read; default the working directory. */
  readonly data?: readonly string[]
  /** Whether custom layers may run: `ask` asks once for code that came from elsewhere; default ask. */
  readonly layers?: 'ask' | 'never'
  /** What requests must know; default: drawn anew at each start. */
  readonly token?: string
  /** File that keeps the token; made where it is not there. */
  readonly tokenFile?: string
  /** The address by which a reverse proxy names this server. */
  readonly publicUrl?: string
  /** Most bytes of an upload; default 4 GiB. */
  readonly maxUpload?: number
  /** Whether jobs run under Node's permission model; default true. */
  readonly confined?: boolean
}

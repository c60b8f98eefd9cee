/** One request to the server. */
export type Ask = (
  path: string,
  init: { method: string; body?: BodyInit; type?: string; accept?: string; signal?: AbortSignal },
) => Promise<Response>

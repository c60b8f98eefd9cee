/** What TypeScript's library for pages does not know of the file system of workers. */

/** Reads and writes without waiting; nobody else can write to the file while it is open. */
export interface SyncAccessHandle {
  write(bytes: Uint8Array, options: { at: number }): number
  truncate(size: number): void
  getSize(): number
  flush(): void
  close(): void
}

export interface FileHandle {
  readonly kind: 'file'
  readonly name: string
  getFile(): Promise<File>
  createSyncAccessHandle(): Promise<SyncAccessHandle>
  move(parent: FolderHandle, name: string): Promise<void>
}

export interface FolderHandle {
  readonly kind: 'directory'
  readonly name: string
  getDirectoryHandle(name: string, options?: { create?: boolean }): Promise<FolderHandle>
  getFileHandle(name: string, options?: { create?: boolean }): Promise<FileHandle>
  removeEntry(name: string, options?: { recursive?: boolean }): Promise<void>
  values(): AsyncIterable<FileHandle | FolderHandle>
}

/** The private files of this origin. */
export async function privateFiles(): Promise<FolderHandle> {
  return (await navigator.storage.getDirectory()) as unknown as FolderHandle
}

import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { makeFolder } from '../../lib/system/make_folder.js'

const root = mkdtempSync(join(tmpdir(), 'ristretto-folder-'))
afterAll(() => rmSync(root, { recursive: true }))

it('makes what is missing and says which folder was the first', async () => {
  expect(await makeFolder(join(root, 'a', 'b', 'c'))).toBe(join(root, 'a'))
  expect(statSync(join(root, 'a', 'b', 'c')).isDirectory()).toBe(true)
  expect(await makeFolder(join(root, 'a', 'b', 'd', 'e'))).toBe(join(root, 'a', 'b', 'd'))
  expect(await makeFolder(join(root, 'a'))).toBeUndefined()
  expect(await makeFolder('/')).toBeUndefined()
  // several at once, as the files of an upload ask for it
  await Promise.all(['x', 'y', 'z'].map(name => makeFolder(join(root, 'many', name))))
  expect(existsSync(join(root, 'many', 'z'))).toBe(true)
})

it('a file of that name, or on the way, is what the system says', async () => {
  writeFileSync(join(root, 'file'), '')
  await expect(makeFolder(join(root, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeFolder(join(root, 'file', 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

// where nobody can make a folder in one that is there, mkdir of Node turns for ever
it.runIf(existsSync('/proc/self'))('a file system without room for folders is an error, not a hang', async () => {
  await expect(makeFolder('/proc/nope')).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(makeFolder('/proc/nope/deep')).rejects.toMatchObject({ code: 'ENOENT' })
})

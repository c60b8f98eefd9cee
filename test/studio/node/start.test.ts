/** Where a server cannot start: one line that says why, and nothing left behind. */
import { existsSync, readdirSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startServer as start } from '../../../lib/studio/node/server.js'
import { temporaryFolder } from '../built.js'

/** None of these programs is started. */
const beside = (folder => ({ job: folder, inspector: folder, engines: folder, page: folder }))(new URL('file:///none/'))
const startServer = (options: Parameters<typeof start>[0]) => start(options, beside)

test('a port that is taken leaves no project behind, and is named once', async () => {
  const other = createServer()
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    other.close()
  })
  const { port } = other.address() as AddressInfo
  const folder = await temporaryFolder()
  const options = { root: join(folder, 'project'), tokenFile: join(folder, 'token'), data: [join(folder, 'data')] }
  await mkdir(options.data[0])
  await expect(startServer({ ...options, port })).rejects.toMatchObject({
    name: 'StudioError',
    message: `the server cannot listen on 127.0.0.1:${port}: it is taken; --port names another, 0 any that is free`,
  })
  expect(readdirSync(folder)).toEqual(['data'])
})

test('a file is no project', async () => {
  const file = join(await temporaryFolder(), 'bad.jpg')
  await writeFile(file, '')
  for (const root of [file, join(file, 'project')])
    await expect(startServer({ root, port: 0 })).rejects.toMatchObject({
      name: 'StudioError',
      message: `the folder of the project, '${root}', cannot be used: there is a file of that name, or on the way to it; name another`,
    })
})

// whoever may do everything is refused nothing
test.skipIf(process.getuid?.() === 0)('a folder that must not be written to is no project', async () => {
  const folder = join(await temporaryFolder(), 'locked')
  await mkdir(folder)
  await chmod(folder, 0o500)
  for (const root of [folder, join(folder, 'project')])
    await expect(startServer({ root, port: 0 })).rejects.toMatchObject({
      name: 'StudioError',
      message: `the folder of the project, '${root}', cannot be used: it must not be written to; name another`,
    })
  expect(existsSync(join(folder, 'project'))).toBe(false)
})

/** A process is found again by its file: it, and no other of its number. */
import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { permissions } from '../../../lib/studio/node/confinement.js'
import { claimFile, clearDead, livingMark, readMark, releaseFile } from '../../../lib/studio/node/process_mark.js'
import { temporaryFolder } from '../built.js'

test('one process claims a file; a dead one is cleared away, a living one is not', async () => {
  const file = join(await temporaryFolder(), 'process.json')
  expect(claimFile(file)).toBe(true)
  expect(claimFile(file)).toBe(false)
  expect(livingMark(file)?.pid).toBe(process.pid)
  clearDead(file)
  expect(readMark(file)?.pid).toBe(process.pid)
  releaseFile(file)
  expect(existsSync(file)).toBe(false)
  // another process that once had this number: it began at another time, or wrote before this one was there
  for (const mark of [
    { pid: process.pid, at: Date.now(), start: '1' },
    { pid: process.pid, at: 0 },
  ]) {
    writeFileSync(file, JSON.stringify(mark))
    expect(livingMark(file)).toBeUndefined()
    clearDead(file)
    expect(existsSync(file)).toBe(false)
  }
})

test('a process that may not look at itself is found all the same, until it ends: what is left of it is none', async () => {
  const folder = await temporaryFolder()
  const file = join(folder, 'process.json')
  const program = `process.stdin.resume(); const { writeFileSync, readFileSync } = require('node:fs')
    let start; try { start = readFileSync('/proc/self/stat', 'utf8') } catch {}
    writeFileSync(${JSON.stringify(file)}, JSON.stringify({ pid: process.pid, at: Date.now(), looked: start !== undefined })); console.log('there')`
  const flags = permissions({ read: [folder], write: [folder], addons: false })
  const child = spawn(process.execPath, [...flags, '-e', program], { stdio: ['pipe', 'pipe', 'ignore'] })
  await new Promise(resolve => child.stdout.once('data', resolve))
  expect(readMark(file)).toMatchObject({ looked: false })
  expect(livingMark(file)?.pid).toBe(child.pid)
  child.kill('SIGKILL')
  await new Promise(resolve => child.once('exit', resolve))
  expect(livingMark(file)).toBeUndefined()
})

import { readFile } from 'node:fs/promises'

/** Name, version and licence text of a package, as `from` finds it: a comment that every minifier keeps. */
export async function licenceOf(name: string, from: NodeJS.Require): Promise<string> {
  const folder = new URL('.', `file://${await manifestOf(name, from)}`)
  const { version, license } = JSON.parse(await readFile(new URL('package.json', folder), 'utf8'))
  const text = await readFile(new URL('LICENSE', folder), 'utf8').catch(() => `${license} licence`)
  return `/*! ${name} ${version}\n${text.replace(/\*\//g, '* /').trim()}\n*/`
}

async function manifestOf(name: string, from: NodeJS.Require): Promise<string> {
  for (const folder of from.resolve.paths(name) ?? []) {
    const path = `${folder}/${name}/package.json`
    if (await readFile(path).catch(() => undefined)) return path
  }
  throw new Error(`package ${name} is not installed`)
}

import { spawn } from 'node:child_process'
import { type Command, Option } from 'commander'
import type { StartOptions } from '../studio/start_options.js'
import { whole } from './options.js'
import { type Output, print, warn } from './output.js'

interface CommandOptions {
  port: number
  host: string
  open?: boolean
  jobs: number
  threads?: number
  data?: string[]
  layers: 'ask' | 'never'
  tokenFile?: string
  publicUrl?: string
  maxUpload: number
  export?: string
}

export function addStudio(program: Command, output: Output): void {
  program
    .command('studio')
    .description('Make datasets, train and look at nets in a browser.')
    .argument('[folder]', 'folder of the project, which is made where there is none', 'studio')
    .option('--port <n>', 'port to listen on; 0: any that is free', whole(0), 5151)
    .option('--host <address>', 'address to listen on; any but that of this machine lets others in', '127.0.0.1')
    .option('--open', 'open the page in the browser of this machine')
    .option('--jobs <n>', 'trainings at once', whole(1), 1)
    .option('--threads <n>', 'cores that they share (default: those that this process may use)', whole(1))
    .option(
      '--data <folder>',
      'folder whose files pages may name and jobs may read; several times, several (default: this one)',
      (folder: string, before: string[] = []) => [...before, folder],
    )
    .addOption(
      new Option('--layers <rule>', 'custom layers: asked for once where they came from elsewhere, or none at all')
        .choices(['ask', 'never'])
        .default('ask'),
    )
    .option('--token-file <file>', 'keep the token in this file (default: a new one at each start)')
    .option('--public-url <url>', 'address by which a reverse proxy names this server')
    .option('--max-upload <bytes>', 'most bytes of an upload', whole(0), 4 * 2 ** 30)
    .option('--export <folder>', 'write Studio as a site that needs no server into a folder, and end')
    .action((folder, options: CommandOptions) =>
      options.export === undefined ? serve(folder, options, output) : writeSite(options.export, output),
    )
    .addHelpText(
      'after',
      `
Whoever has the address that is printed may do everything: it holds a token. Trainings go on when this command ends, and are
found again by the next one. Custom layers are programs; Node's permission model keeps them to their folders as a seat belt
does, not as a wall.

The site of --export does everything in the browser of who opens it, and keeps projects there.

Examples:
  ristretto studio my-project
  ristretto studio mnist --data ~/pictures --jobs 2 --open
  ristretto studio --export site`,
    )
}

async function writeSite(folder: string, output: Output): Promise<void> {
  const { exportStudio } = await import('../studio/node/export_site.js')
  await exportStudio(folder)
  print(
    output,
    `Ristretto Studio, without a server: ${folder}. Any host can give it out; by https, or of this machine. To try it: npx serve ${folder}`,
  )
}

async function serve(root: string, options: CommandOptions, output: Output): Promise<void> {
  const { jobs, open, host, export: _, ...rest } = options
  const given: StartOptions = { root, host, trainings: jobs, ...rest }
  const { startStudio } = await import('../studio/index.js')
  const { address, close } = await startStudio(given)
  print(output, `Ristretto Studio, project '${root}': ${address}`)
  if (!/^(127\.|localhost$|::1$)/.test(host))
    warn(output, `others can reach this server at ${host}: who has the token can run programs here; put TLS before it`)
  if (open) openBrowser(address)
  await interrupted()
  await close()
}

/** Settles at Ctrl-C, or when the program is to end. */
function interrupted(): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, end)
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  })
}

function openBrowser(address: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', address]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', address]
        : ['xdg-open', address]
  // where there is none, the address was printed
  spawn(command, args, { detached: true, stdio: 'ignore' })
    .on('error', () => {})
    .unref()
}

/** The program that is shut in: it has no files but those that it asks for, and runs a job or looks. */
import { Caller, channelOf } from './calls.js'
import { serveJob } from './job_program.js'
import { serveLooking } from './looking_program.js'
import { browserProject } from './project_context.js'
import { remoteStore } from './remote_store.js'
import type { Role } from './sandboxes.js'

addEventListener(
  'message',
  ({ data }: MessageEvent<{ role: Role; files: MessagePort; talk: MessagePort }>) => {
    const { role, files, talk } = data
    const store = remoteStore(new Caller(channelOf(files)))
    // of modules only these can be imported in a worker without an origin
    const project = browserProject(store, 'data')
    if (role === 'job') serveJob(channelOf(talk), project, () => store.settled())
    else serveLooking(channelOf(talk), project)
  },
  { once: true },
)

/** A job in a worker of its own, whose end is no harm: what it wrote stays. */
import type { Channel } from './calls.js'
import { early } from './early.js'
import { serveJob } from './job_program.js'
import { privateFiles } from './opfs_handles.js'
import { opfsStore } from './opfs_store.js'
import { browserProject } from './project_context.js'

const channel = early(self as unknown as Channel)
privateFiles().then(files => serveJob(channel, browserProject(opfsStore(files), 'blob')), reportError)

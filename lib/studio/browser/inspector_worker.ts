/** Looks at jobs, nets and pictures in a worker of its own, which may be ended at any time. */
import type { Channel } from './calls.js'
import { early } from './early.js'
import { serveLooking } from './looking_program.js'
import { privateFiles } from './opfs_handles.js'
import { opfsStore } from './opfs_store.js'
import { browserProject } from './project_context.js'

const channel = early(self as unknown as Channel)
privateFiles().then(files => serveLooking(channel, browserProject(opfsStore(files), 'blob')), reportError)

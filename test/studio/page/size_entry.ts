/** The page alone, to be weighed: with the studio that somebody hands it. */
import type { Studio } from '../../../lib/studio/api/index.js'
import { startPage } from '../../../lib/studio/page/app.js'

declare const studio: Studio

startPage(studio, document.body)

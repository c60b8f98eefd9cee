/** The page over the fake, as the address says: ?empty, ?broken, ?silent, ?still, ?more=2000. */
import { startPage } from '../../../../lib/studio/page/app.js'
import { FakeStudio } from './fake_studio.js'

const asked = new URLSearchParams(location.search)
const studio = new FakeStudio({
  empty: asked.has('empty'),
  broken: asked.has('broken'),
  silent: asked.has('silent'),
  still: asked.has('still'),
  more: Number(asked.get('more') ?? 0),
})
startPage(studio, document.getElementById('app')!)

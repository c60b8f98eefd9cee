/** Models from elsewhere as processes: what code came with them is shown, and runs once somebody has agreed to it. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unzipSync, zipSync } from 'fflate'
import { expect, test } from 'vitest'
import { sha256 } from '../../../lib/studio/core/trust.js'
import { looking } from '../../../lib/studio/jobs/looking.js'
import { nodeProject } from '../../../lib/studio/node/project_context.js'
import { builtStudio, temporaryFolder } from '../built.js'
import { makeDigits, openProject, reached, smallModel } from './rig.js'

const studio = await builtStudio()
const layer = await readFile('docs/examples/occlusion/blank_square.ts', 'utf8')

test('an archive with changed code waits for consent, and then answers and is evaluated as its original', {
  tags: 'ci',
}, async () => {
  const root = await temporaryFolder()
  const project = await openProject(root, studio)
  const dataset = await makeDigits(root, project)
  // in every stage, so that the deployed net needs it, too
  const net = smallModel('').net.replace(
    'layer { name: "conv"',
    'layer { name: "blank" type: "Python" bottom: "data" top: "data" python_param { module: "blank_square" layer: "BlankSquareLayer" } }\nlayer { name: "conv"',
  )
  const [model] = await project.create(
    'model',
    smallModel(dataset, { net, epochs: 1, layers: { 'blank_square.ts': layer } }),
  )
  await reached(project, model.id, 'done')
  const context = nodeProject(join(root, 'project'))
  await looking.archive(context, model.id, undefined, 'downloads/model.zip')
  const files = unzipSync(new Uint8Array(await readFile(join(root, 'project/downloads/model.zip'))))
  const changed = `${layer}\n// from elsewhere\n`
  files['layers/blank_square.ts'] = new TextEncoder().encode(changed)
  await writeFile(join(root, 'strange.zip'), zipSync(files))

  const [{ id }] = await project.create('pretrained', {
    name: 'taken',
    source: { archive: { path: join(root, 'strange.zip') } },
  })
  await reached(project, id, 'done')
  const code = [{ file: 'blank_square.ts', sha256: await sha256(changed) }]
  // its list of code is read again when it is done
  while (!(await project.job(id)).code.length) await new Promise(resolve => setTimeout(resolve, 20))
  expect(await project.job(id)).toMatchObject({ code, untrusted: code })
  expect(() => project.mustTrust(id)).toThrow(/code that came from elsewhere/)
  const picture = { dataset, set: 'val', item: 0 } as const
  await expect(looking.testOne(context, id, { picture })).rejects.toMatchObject({ status: 403 })

  await project.trust(code.map(({ sha256 }) => sha256))
  project.mustTrust(id)
  expect((await project.job(id)).untrusted).toBeUndefined()
  const { classes } = await looking.testOne(context, id, { picture })
  expect(classes).toHaveLength(5)
  const on = { set: 'val', dataset } as const
  const [first] = await project.create('evaluation', { model: model.id, on: { set: 'val' } })
  const [second] = await project.create('evaluation', { model: id, on })
  const results = [await reached(project, first.id, 'done'), await reached(project, second.id, 'done')]
  for (const { result } of results) expect(result).toMatchObject({ kind: 'evaluation', items: 63, labelled: 63 })
  // the layer draws its squares by the layer's name and the seed, which are the same
  expect(results[1].result).toEqual(results[0].result)
  await project.close()
})

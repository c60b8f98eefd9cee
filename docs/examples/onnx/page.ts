/** The same in a page: <input type="file" id="model">, <progress id="progress" max="60">, <a id="tuned">. */
import { prepare, share } from './learn.js'
import { pictures } from './pictures.js'

const model = document.querySelector<HTMLInputElement>('#model')!
const progress = document.querySelector<HTMLProgressElement>('#progress')!
const tuned = document.querySelector<HTMLAnchorElement>('#tuned')!

model.addEventListener('change', async () => {
  const [file] = model.files ?? []
  if (!file) return
  const solver = await prepare(new Uint8Array(await file.arrayBuffer()), pictures(300))
  for (let i = 1; i <= 60; i++) {
    await solver.step(1)
    progress.value = i
  }
  const right = await share(solver, pictures(90, 1000))
  tuned.textContent = `ours.onnx: ${Math.round(100 * right)} % right`
  const bytes = await solver.net.toBytes({ format: 'onnx' })
  tuned.href = URL.createObjectURL(new Blob([bytes.slice()]))
  tuned.download = 'ours.onnx'
})

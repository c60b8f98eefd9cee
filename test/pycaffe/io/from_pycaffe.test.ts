import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as root from '../../../lib/index.js'
import * as pycaffe from '../../../lib/pycaffe/index.js'

/** What the page's names are looked for in. */
const ristretto = { ...root, ...pycaffe }
const page = readFileSync('docs/from-pycaffe.md', 'utf8')
/** Cells of all table rows, without the headers. */
const rows = page
  .split('\n')
  .filter(line => line.startsWith('| ') && !line.startsWith('| pycaffe'))
  .map(line =>
    line
      .slice(1, -1)
      .split('|')
      .map(cell => cell.trim()),
  )

describe('The page for people who know pycaffe', () => {
  test('names only what there is', async () => {
    const classes: Record<string, object> = {
      net: ristretto.Net.prototype,
      solver: ristretto.Solver.prototype,
      classifier: ristretto.Classifier.prototype,
    }
    const net = await ristretto.Net.create({ layer: [] }, { engine: 'js' })
    let checked = 0
    for (const [, here] of rows)
      for (const [, code] of here.matchAll(/`([^`]+)`/g)) {
        const called = /^(?:await |new )?([A-Za-z]+)(?:\.create)?\(/.exec(code)?.[1]
        if (called) {
          expect(ristretto, code).toHaveProperty(called)
          checked++
        }
        const [, object, member] = /^(?:await )?(net|solver|classifier)\.([a-zA-Z]+)/.exec(code) ?? []
        if (object && object !== 'solver') {
          expect(member in classes[object] || member in net, code).toBe(true)
          checked++
        }
      }
    expect(checked).toBeGreaterThanOrEqual(40)
  })

  test('has every name of pycaffe', () => {
    const names = rows.map(([pycaffe]) => pycaffe).join('\n')
    const wanted = `Net get_solver SGDSolver NesterovSolver AdaGradSolver RMSPropSolver AdaDeltaSolver AdamSolver Layer layer_type_list set_mode_cpu set_mode_gpu
      set_device set_random_seed init_log log solver_count solver_rank set_multiprocess NCCL Timer TRAIN TEST add_blob
      shape num channels height width count reshape data diff
      forward backward forward_all forward_backward_all blobs params layers layer_dict blob_loss_weights inputs outputs top_names bottom_names _layer_names
      _blob_names _top_ids _bottom_ids clear_param_diffs copy_from share_with save save_hdf5 load_hdf5 set_input_arrays before_forward after_forward
      before_backward after_backward net test_nets iter lr step solve restore snapshot share_weights apply_update param add_callback
      Transformer set_transpose set_channel_swap set_raw_scale set_mean set_input_scale preprocess deprocess load_image resize_image oversample
      blobproto_to_array array_to_blobproto array_to_datum datum_to_array arraylist_to_blobprotovector_str blobprotovector_str_to_arraylist
      Classifier predict Detector detect_windows crop configure_crop context_pad NetSpec ntop in_place to_proto coord_map_from_to
      get_pydot_graph draw_net_to_file draw_net param_str phase setup`
    for (const name of wanted.split(/\s+/)) expect(names).toMatch(new RegExp(`(?<![a-z])${name}(?![a-z])`))
  })
})

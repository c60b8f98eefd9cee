import type { LayerClass } from '../../layer.js'
import { EuclideanLossLayer } from '../euclidean_loss.js'
import { AnchorTargetLayer } from './anchor_target_layer.js'
import { PythonProposalLayer } from './proposal_layer.js'
import { ProposalTargetLayer } from './proposal_target_layer.js'
import { RoIDataLayer } from './roi_data_layer.js'
import { SegDataLayer } from './seg_data_layer.js'
import { PythonSpatialDropoutLayer } from './spatial_dropout.js'

/** Python module → class → ours: the layers in Python that everybody used. The explicit list, alphabetical. */
export const builtInModules: Readonly<Record<string, Readonly<Record<string, LayerClass>>>> = {
  nyud_layers: { NYUDSegDataLayer: SegDataLayer },
  pascalcontext_layers: { PASCALContextSegDataLayer: SegDataLayer },
  pyloss: { EuclideanLossLayer },
  'roi_data_layer.layer': { RoIDataLayer },
  'rpn.anchor_target_layer': { AnchorTargetLayer },
  'rpn.proposal_layer': { ProposalLayer: PythonProposalLayer },
  'rpn.proposal_target_layer': { ProposalTargetLayer },
  siftflow_layers: { SIFTFlowSegDataLayer: SegDataLayer },
  spatial_dropout: { SpatialDropoutLayer: PythonSpatialDropoutLayer },
  voc_layers: { SBDDSegDataLayer: SegDataLayer, VOCSegDataLayer: SegDataLayer },
}

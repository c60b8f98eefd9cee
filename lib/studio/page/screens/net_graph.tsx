import type { Inspection, InspectRequest } from '../../api/index.js'
import { bytes, compact, count } from '../format.js'
import type { Loaded } from '../hooks.js'
import { Graph } from '../parts/graph.js'
import { Button, Choice, Empty, Facts, Failure, Panel, Waiting } from '../parts/ui.js'
import { texts } from '../texts.js'

type Stage = InspectRequest['stage']

/** The net as it stands, for one stage: its graph, its size. */
export function NetGraphPanel(props: {
  inspection: Loaded<Inspection>
  looking: boolean
  empty: boolean
  stage: Stage
  chosen: string | undefined
  onStage: (stage: Stage) => void
  onChoose: (layer: string | undefined) => void
  onLook: () => void
  onLine: (line: number) => void
}) {
  const { value, error } = props.inspection
  return (
    <Panel
      class="net-graph"
      title={texts.newModel.graph}
      actions={
        <>
          <Choice
            label={texts.model.stage}
            value={props.stage}
            onChange={props.onStage}
            options={(['train', 'val', 'deploy'] as const).map(stage => ({ value: stage, label: stage }))}
          />
          <Button onClick={props.onLook} disabled={props.empty} busy={props.looking && !props.empty} icon="net">
            {texts.newModel.visualize}
          </Button>
        </>
      }
    >
      {props.empty && <Empty icon="net" title={texts.newModel.noGraph} />}
      {!props.empty && error !== undefined && <Failure error={error} again={props.onLook} />}
      {!props.empty && !value && error === undefined && <Waiting lines={8} />}
      {!props.empty && value && (
        <>
          {value.totals && (
            <Facts
              facts={[
                [texts.graph.params, count(value.totals.params)],
                [texts.graph.memory, bytes(value.totals.memory)],
                [texts.graph.work, compact(value.totals.multiplyAdds)],
              ]}
            />
          )}
          {value.graph ? (
            <Graph graph={value.graph} chosen={props.chosen} onChoose={props.onChoose} onLine={props.onLine} />
          ) : (
            <Empty icon="warning" title={texts.newModel.notBuilt}>
              <ul class="mark-list">
                {value.marks
                  .filter(mark => mark.severity === 'error')
                  .slice(0, 5)
                  .map(mark => (
                    <li key={mark.message} class="error">
                      {mark.line !== undefined && (
                        <button type="button" class="link" onClick={() => props.onLine(mark.line!)}>
                          {texts.newModel.line(mark.line)}
                        </button>
                      )}
                      <span>{mark.message}</span>
                    </li>
                  ))}
              </ul>
            </Empty>
          )}
        </>
      )}
    </Panel>
  )
}

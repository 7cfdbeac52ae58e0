/**
 * The style of a diagram, and the colours that it draws with.
 *
 * @module
 */

/** A part of the style sheet. */
export const DIAGRAM_STYLE = `
:root {
  --message: light-dark(#4f46c8, #a5a0ff);
  --leader: light-dark(#0d7a3a, #5fd28a);
  --candidate: light-dark(#8f5b00, #ffc14d);
  --other: light-dark(#77818d, #7d8793);
  --fault-edge: light-dark(#d0564c, #c9645b);
}
.diagram { container-type: inline-size; border: 1px solid var(--line); border-radius: 6px; overflow: clip; }
.diagram-toolbar { display: flex; flex-wrap: wrap; gap: .4rem; padding: .4rem; align-items: center;
  background: var(--card); border-bottom: 1px solid var(--line); font-size: 13px; }
.diagram-toolbar button, .diagram-toolbar select, .diagram-toolbar input[type=search],
.diagram-toolbar summary, .diagram-panel button { font: inherit; min-height: 28px;
  padding: .1rem .6rem; color: var(--text); background: var(--page); border: 1px solid var(--line);
  border-radius: 4px; cursor: pointer; max-width: 100%; }
.diagram-toolbar input[type=search] { cursor: text; width: 8rem; }
.diagram-toolbar select { max-width: 9rem; }
.diagram-toolbar .menu { position: relative; }
.menu summary { list-style-position: inside; line-height: 26px; }
.menu > div { position: absolute; z-index: 3; top: 100%; left: 0; max-height: 50vh; overflow: auto;
  background: var(--page); border: 1px solid var(--line); border-radius: 4px; padding: .4rem .7rem; }
.menu.signs > div { width: min(340px, 80vw); }
.menu label { display: flex; gap: .4rem; white-space: nowrap; }
.diagram-body { display: grid; grid-template-columns: minmax(0, 1fr) 44px auto;
  height: min(72vh, 720px); }
.diagram-stage { position: relative; overflow: clip; min-width: 0; }
.diagram-stage canvas { position: absolute; inset: 0; width: 100%; height: 100%; touch-action: none;
  cursor: grab; }
.diagram-stage canvas.over { cursor: pointer; }
.diagram-stage canvas.dragged { cursor: grabbing; }
.diagram-stage canvas:focus-visible { outline-offset: -2px; }
.diagram-strip { position: relative; border-left: 1px solid var(--line); min-height: 0; }
.diagram-strip canvas { position: absolute; inset: 0; width: 100%; height: 100%; cursor: ns-resize;
  touch-action: none; }
.diagram-findings { margin: 0; padding: .2rem .8rem; font-size: 13px; line-height: 1.4; color: var(--invalid);
  border-bottom: 1px solid var(--line); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.diagram-finding { position: absolute; right: 0; min-width: 18px; padding: 0 3px; text-align: center;
  box-sizing: border-box; font: bold 12px/18px system-ui, sans-serif; background: var(--invalid); color: var(--page);
  border-radius: 4px 0 0 4px; pointer-events: none; }
.diagram-tip { position: absolute; pointer-events: none; z-index: 2; padding: .1rem .5rem;
  font-size: 12px; background: var(--text); color: var(--page); border-radius: 4px;
  max-width: 90%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.diagram-tip:empty { display: none; }
.diagram-panel { width: clamp(240px, 30cqi, 340px); border-left: 1px solid var(--line); padding: .6rem .8rem; overflow: auto;
  font-size: 13px; overflow-wrap: anywhere; }
.diagram-panel .close { position: sticky; top: 0; float: right; }
.fields { display: grid; grid-template-columns: max-content 1fr; margin: .4rem 0; clear: both; }
.fields dt { color: var(--muted); padding-right: 1rem; }
.fields dd { margin: 0; overflow-wrap: anywhere; }
.fields > * { border-top: 1px solid var(--line); padding-block: .1rem; }
.diagram-panel ul { margin: .1rem 0; padding-left: 1.1rem; }
.diagram-panel pre { margin: .2rem 0; padding: .4rem; background: var(--card); border-radius: 4px;
  max-height: 22rem; overflow: auto; font-size: 12px; }
.diagram .hint { color: var(--muted); margin: .6rem 0 0; }
.diagram .legend { list-style: none; padding: 0; margin: 0; }
.diagram .legend li { display: flex; gap: .6rem; align-items: center; margin: .2rem 0; }
.sign { flex: none; width: 26px; height: 0; border-top: 2px solid; color: var(--message); }
.sign.client { color: var(--muted); }
.sign.error { color: var(--unknown); }
.sign.lost { color: var(--invalid); }
.sign.lost::after { content: "×"; display: block; font: bold 16px/1 sans-serif; height: 0;
  text-align: right; transform: translateY(-9px); }
.sign.late { border-top-style: dashed; }
.sign.copy { border-top: 4px double; }
.sign.bar { height: 14px; width: 10px; margin: 0 8px; border: 0; background: var(--ok); }
.sign.fail { background: var(--fail); }
.sign.info { background: var(--info); }
.sign.shade { background: var(--fault); border-left: 2px solid var(--fault-edge); width: 26px;
  margin: 0; }
.sign.ring { background: none; border: 2px solid var(--invalid); }
.diagram-status { margin: 0; padding: .3rem .8rem; font-size: 13px; color: var(--muted);
  border-top: 1px solid var(--line); background: var(--card); }
@container (max-width: 620px) {
  .diagram-findings { white-space: normal; display: -webkit-box; -webkit-box-orient: vertical;
    -webkit-line-clamp: 2; height: calc(2.8em + .2rem); padding-bottom: 0; }
  .diagram-body { grid-template-columns: minmax(0, 1fr) 28px; height: auto;
    grid-template-rows: min(64vh, 560px) auto; }
  .diagram-panel { grid-column: 1 / -1; width: auto; border-left: 0; max-height: 50vh;
    border-top: 1px solid var(--line); }
  .diagram-toolbar .menu { position: static; }
  .diagram-toolbar { position: relative; }
}
@media print {
  .diagram-toolbar { display: none; }
}
`;

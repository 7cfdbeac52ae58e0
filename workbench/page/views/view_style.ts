/**
 * The style of what the checkers saw.
 *
 * @module
 */

/** Rules of the page's style sheet. */
export const VIEW_STYLE = `
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 4px;
  background: var(--page); padding: .3rem; }
.scroll svg { display: block; }
.scroll text { font: 12px ui-monospace, monospace; fill: var(--text); }
.chooser select { font: inherit; color: inherit; background: var(--card); max-width: 100%;
  border: 1px solid var(--line); border-radius: 4px; padding: .1rem .3rem; }
.view-summary { margin: .4rem 0; overflow-wrap: anywhere; }
.view-readout { margin: .3rem 0; min-height: 1.5em; color: var(--muted); overflow-wrap: anywhere; }
.keys { display: flex; flex-wrap: wrap; gap: .2rem .9rem; margin: .3rem 0; font-size: .85rem;
  color: var(--muted); }
.keys span::before { content: ""; display: inline-block; width: 1.1em; height: .75em;
  margin-right: .35em; border: 1.5px solid; border-radius: 3px; }
.keys .key-placed::before { border-color: var(--ok); background: var(--placed); }
.keys .key-maybe::before { border-color: var(--info); border-style: dashed; }
.keys .key-left::before { border-color: var(--muted); }
.keys .key-stuck::before { border-color: var(--invalid); background: var(--fault); }
.register .call { cursor: pointer; }
.register .call:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
.register rect { fill: var(--card); stroke: var(--muted); stroke-width: 1.2; }
.register .placed rect { fill: var(--placed); stroke: var(--ok); }
.register .maybe rect { stroke: var(--info); stroke-dasharray: 4 3; }
.register .stuck rect { fill: var(--fault); stroke: var(--invalid); stroke-width: 2.5; }
.register .selected rect { stroke: var(--link); stroke-width: 3; }
.register .left text { fill: var(--muted); }
.register .later { stroke: var(--info); stroke-dasharray: 3 3; fill: none; }
.register .way { fill: none; stroke: var(--ok); stroke-width: 1.2; opacity: .7; pointer-events: none; }
.register .point { fill: var(--ok); pointer-events: none; }
.register .change { stroke: var(--grid); fill: none; }
.register .value { font-weight: 700; }
.register .tick { stroke: var(--muted); }
.cycle-card { display: grid; grid-template-columns: fit-content(70%) minmax(0, 1fr);
  gap: .2rem 1rem; margin: .6rem 0 1rem; break-inside: avoid; }
.cycle-card h3, .cycle-card .note { grid-column: 1 / -1; }
@media (max-width: 900px) { .cycle-card { grid-template-columns: minmax(0, 1fr); } }
.cycle .txn { cursor: pointer; }
.cycle .txn:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.cycle rect { fill: var(--card); stroke: var(--line); }
.cycle .name { font-weight: 700; font-size: 13px; }
.cycle .when { fill: var(--muted); font: 12px system-ui, sans-serif; }
.cycle .told { font-weight: 700; }
.edge-ww { color: var(--series-2); }
.edge-wr { color: var(--series-3); }
.edge-rw { color: var(--fail); }
.edge-realtime, .edge-process { color: var(--series-5); }
.cycle .edge path { fill: none; stroke: currentColor; stroke-width: 1.6; }
.cycle .edge-realtime path, .cycle .edge-process path { stroke-dasharray: 5 3; }
.cycle .edge polygon { fill: currentColor; }
.cycle .edge text { fill: currentColor; font-weight: 700; paint-order: stroke;
  stroke: var(--page); stroke-width: 4px; }
.cycle .lit path { stroke-width: 3.5; }
.reasons { margin: .3rem 0; padding-left: 1.2rem; overflow-wrap: anywhere; }
.logs .reasons button { background: none; border: 0; padding: 0; color: var(--link);
  text-decoration: underline; cursor: pointer; }
.log { border-collapse: separate; border-spacing: 0; font: 12px ui-monospace, monospace; }
.log th, .log td { min-width: 2.1rem; padding: .15rem .3rem; text-align: center;
  border: solid var(--grid); border-width: 0 1px 1px 0; white-space: nowrap; }
.log td { cursor: pointer; max-width: 9rem; overflow: hidden; text-overflow: ellipsis; }
.log th { font-weight: 600; color: var(--muted); }
.log th[scope="row"] { position: sticky; left: 0; background: var(--page); text-align: left;
  border-right-color: var(--line); font-family: system-ui, sans-serif; }
.log tbody tr:nth-child(n+3) td { color: var(--ok); }
.log tbody tr:nth-child(n+3) td.past { color: var(--muted); }
.log tbody .marked, .log thead .marked { background: var(--fault); color: var(--invalid); font-weight: 700;
  box-shadow: inset 0 0 0 1px var(--invalid); }
.log tbody tr:nth-child(n+3) td.marked { color: var(--invalid); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.element-cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 40rem), 1fr));
  gap: .8rem 1rem; }
.element { min-width: 0; break-inside: avoid; }
.element h3 button { background: none; border: 0; padding: 0; color: var(--link); font-weight: 400;
  text-decoration: underline; cursor: pointer; }
.reads .shade { fill: var(--fault); }
.reads .added { stroke: var(--muted); stroke-dasharray: 3 3; fill: none; }
.reads g:focus-visible { outline: 2px solid var(--link); }
.reads .has, .reads .lacks { cursor: pointer; stroke-width: 2; fill: none; }
.reads .has { stroke: var(--ok); }
.reads .has circle { fill: var(--ok); }
.reads .lacks { stroke: var(--fail); }
.reads .reach { fill: transparent; stroke: none; }
.reads .time,
.register .time { fill: var(--muted); font: 11px system-ui, sans-serif; }
`;

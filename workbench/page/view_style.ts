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
.register .time { fill: var(--muted); font: 11px system-ui, sans-serif; }
`;

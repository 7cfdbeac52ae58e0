/**
 * The style of pages: light and dark, wide and narrow, on screen and on paper.
 *
 * @module
 */

import { DIAGRAM_STYLE } from "./diagram/style.ts";
import { VIEW_STYLE } from "./views/view_style.ts";

/** The style sheet of every page. Its policy allows no other style in the page's text. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1c2024, #e6e8ea);
  --muted: light-dark(#5b6470, #a3abb5);
  --page: light-dark(#ffffff, #15181c);
  --card: light-dark(#f5f6f8, #1e2227);
  --line: light-dark(#c9ced6, #3a414a);
  --link: light-dark(#0b57c4, #7db4ff);
  --valid: light-dark(#0d6b31, #5fd28a);
  --invalid: light-dark(#b3261e, #ff8a80);
  --unknown: light-dark(#8a5300, #ffb95c);
  --fault: light-dark(#fdecea, #3b1f1f);
  --placed: light-dark(#e3effb, #1c2f44);
  --grid: light-dark(#e4e7ec, #2a3037);
  --ok: light-dark(#1b6bb3, #7db4ff);
  --info: light-dark(#9a5b00, #ffb95c);
  --fail: light-dark(#b0205a, #ff8fb5);
  --series-1: light-dark(#1b6bb3, #7db4ff);
  --series-2: light-dark(#a8500a, #ffab66);
  --series-3: light-dark(#1c7a4a, #5fd28a);
  --series-4: light-dark(#a0288c, #f08fdc);
  --series-5: light-dark(#6a4fc0, #b9a5ff);
  --series-6: light-dark(#7a6100, #d9c04d);
  --series-7: light-dark(#00737f, #56cfe1);
  --series-8: light-dark(#b3261e, #ff8a80);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1500px; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; line-height: 1.3; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 1.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; }
h4 { font-size: .85rem; color: var(--muted); margin: .5rem 0 0; font-weight: 600; }
[data-valid="true"] h1 { color: var(--valid); }
[data-valid="false"] h1 { color: var(--invalid); }
[data-valid="unknown"] h1 { color: var(--unknown); }
code, pre { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
dl.figures { display: flex; flex-wrap: wrap; gap: .2rem 1.8rem; margin: .5rem 0; }
dl.figures dt { color: var(--muted); font-size: .85rem; }
dl.figures dd { margin: 0; overflow-wrap: anywhere; }
.finding { background: var(--card); border-left: 4px solid var(--invalid); padding: .6rem .9rem;
  margin: .6rem 0; border-radius: 4px; overflow-wrap: anywhere; }
.finding summary { cursor: pointer; }
.finding summary h3 { display: inline; }
#findings { counter-reset: finding; }
.finding h3::before { counter-increment: finding; content: counter(finding) " "; }
.finding .what { margin: .1rem 0; }
.finding:not([open]) .what { overflow: hidden; display: -webkit-box; -webkit-box-orient: vertical;
  -webkit-line-clamp: 2; }
.finding ul { margin: .1rem 0; padding-left: 1.2rem; }
.finding ul:empty { display: none; }
.warning { border-left: 4px solid var(--unknown); padding-left: .9rem; overflow-wrap: anywhere; }
button { font: inherit; color: inherit; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .2rem .6rem; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; white-space: nowrap; }
th button { background: none; border: 0; padding: 0; font-weight: 600; cursor: pointer; }
td.verdict { white-space: normal; min-width: 4.5rem; }
tr[data-valid="false"] .verdict { color: var(--invalid); font-weight: 600; }
tr[data-valid="true"] .verdict { color: var(--valid); }
tr.differs td { font-weight: 600; }
a { color: var(--link); }
input[type="search"] { font: inherit; width: min(30rem, 100%); padding: .3rem .5rem; }
.frames { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; margin-top: 1rem; }
.frames iframe { width: 100%; height: 80vh; border: 1px solid var(--line); }
.hint, .note, .faults { color: var(--muted); font-size: .85rem; margin: .2rem 0; }
.faults ul { margin: .2rem 0; padding-left: 1.2rem; overflow-wrap: anywhere; }
.hint button { margin-right: .3rem; }
.hint button, .legend button, .chooser button { background: var(--card); cursor: pointer;
  border: 1px solid var(--line); border-radius: 4px; padding: 0 .45rem; font-size: .85rem; }
figure { margin: .9rem 0 0; }
figcaption { display: flex; flex-wrap: wrap; gap: .15rem .9rem; align-items: baseline; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem; }
.legend button[aria-pressed="false"] { text-decoration: line-through; color: var(--muted); }
.legend .mark { display: inline-block; min-width: 1.1em; font-weight: 700; }
.readout { flex: 1 1 14rem; margin: 0; text-align: right; font-size: .85rem; color: var(--muted); overflow: hidden;
  white-space: nowrap; text-overflow: ellipsis; }
.plot { min-height: 190px; }
.u-wrap { position: relative; user-select: none; }
.u-over, .u-under, .u-axis, .u-select, .u-cursor-x, .u-cursor-y, .u-cursor-pt { position: absolute; }
.u-under { overflow: hidden; }
.uplot canvas { display: block; width: 100%; height: 100%; }
.u-select { background: color-mix(in srgb, var(--link) 18%, transparent); pointer-events: none; }
.u-cursor-x, .u-cursor-y, .u-cursor-pt { left: 0; top: 0; pointer-events: none; }
.u-cursor-x { height: 100%; border-right: 1px dashed var(--muted); }
.u-cursor-pt { border-radius: 50%; border: 0 solid; background-clip: padding-box !important; }
.u-off { display: none; }
@media (min-width: 1100px) {
  .report { display: grid; grid-template-columns: minmax(0, 27rem) minmax(0, 1fr); gap: 0 1.5rem; }
  .report > * { grid-column: 1 / -1; }
  .report > #findings { grid-column: 1; grid-row: 2; max-height: 62rem; overflow-y: auto; }
  .report > #findings + #diagram { grid-column: 2; grid-row: 2; }
}
#again fieldset { border: 1px solid var(--line); border-radius: 4px; margin: .5rem 0; }
fieldset { min-width: 0; }
#again label { display: inline-block; margin-right: 1rem; white-space: nowrap; }
#again button, .settings button { background: var(--card); border: 1px solid var(--line);
  border-radius: 4px; padding: .2rem .6rem; cursor: pointer; }
#again p button { margin-right: .5rem; }
#again fieldset button { margin: .3rem .5rem 0 0; }
.faults-editor .fault { display: grid; grid-template-columns: minmax(6rem, 16rem) minmax(6rem, 1fr) 9rem max-content;
  gap: .2rem .7rem; align-items: center; margin: .2rem 0; overflow-wrap: anywhere; }
.faults-editor .track { position: relative; height: 1.5rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 3px; }
.faults-editor .bar { position: absolute; top: 0; bottom: 0; background: color-mix(in srgb, var(--invalid) 55%, transparent);
  border-radius: 3px; cursor: grab; touch-action: none; border: solid var(--invalid); border-width: 0 2px; }
.settings { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .6rem 1rem;
  align-items: end; background: var(--card); padding: .8rem 1rem; border-radius: 4px; }
.settings .field label { display: block; color: var(--muted); font-size: .85rem; }
.settings .field input, .settings select { width: 100%; font: inherit; padding: .2rem; }
.settings fieldset { grid-column: 1 / -1; border: 1px solid var(--line); border-radius: 4px; }
.settings fieldset label { display: inline-block; margin-right: 1rem; }
.settings fieldset input { margin-right: .3rem; }
.settings .about:empty { display: none; }
.settings .about { grid-column: 1 / -1; margin: 0; color: var(--muted); overflow-wrap: anywhere; }
[role="status"] { overflow-wrap: anywhere; }
.settings .buttons { grid-column: 1 / -1; }
.settings .buttons button { margin-right: .5rem; padding: .3rem .9rem; }
@media (max-width: 600px) {
  th, td { padding: .2rem .3rem; }
  .faults-editor .fault { grid-template-columns: 1fr max-content; }
  .faults-editor .track { grid-column: 1 / -1; grid-row: 2; }
  .frames { grid-template-columns: 1fr; }
  .readout { text-align: left; }
}
${VIEW_STYLE}
@media print {
  .scroll { overflow: visible; border: 0; }
  .scroll:has(svg) { overflow: hidden; }
  .finding { break-inside: avoid; }
}
${DIAGRAM_STYLE}`;

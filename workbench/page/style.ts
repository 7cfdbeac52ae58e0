/**
 * The style of pages: light and dark, wide and narrow, on screen and on paper.
 *
 * @module
 */

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
dl.figures { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .5rem 0; }
dl.figures dt { color: var(--muted); }
dl.figures dd { margin: 0; overflow-wrap: anywhere; }
.finding { background: var(--card); border-left: 4px solid var(--invalid); padding: .6rem .9rem;
  margin: .6rem 0; border-radius: 4px; overflow-wrap: anywhere; }
.finding ul { margin: .1rem 0; padding-left: 1.2rem; }
.finding ul:empty { display: none; }
.warning { border-left: 4px solid var(--unknown); padding-left: .9rem; overflow-wrap: anywhere; }
button { font: inherit; color: inherit; }
button.place { background: none; border: 0; padding: 0; color: var(--link); text-align: left;
  text-decoration: underline; cursor: pointer; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .2rem .6rem; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; white-space: nowrap; }
th button { background: none; border: 0; padding: 0; font-weight: 600; cursor: pointer; }
tr[data-valid="false"] td:nth-child(4) { color: var(--invalid); font-weight: 600; }
tr[data-valid="true"] td:nth-child(4) { color: var(--valid); }
tr.differs td { font-weight: 600; }
a { color: var(--link); }
input[type="search"] { font: inherit; width: min(30rem, 100%); padding: .3rem .5rem; }
.frames { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; margin-top: 1rem; }
.frames iframe { width: 100%; height: 80vh; border: 1px solid var(--line); }
@media (max-width: 600px) {
  .frames { grid-template-columns: 1fr; }
  dl.figures { grid-template-columns: 1fr; gap: 0; }
  dl.figures dd { margin: 0 0 .3rem; }
}
@media print {
  .finding { break-inside: avoid; }
}
`;

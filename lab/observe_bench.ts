/**
 * What observations cost a node that nobody observes: `deno bench --config lab/deno.json
 * lab/observe_bench.ts`.
 *
 * @module
 */

import { Node } from "@eddy/maelstrom";

/** Calls in a row, so that the clock's own cost does not count. */
const CALLS = 1000;

const node = new Node({ output: { write: () => {} } });
let term = 0;

Deno.bench(`${CALLS} calls of nothing`, { baseline: true }, () => {
  for (let i = 0; i < CALLS; i++) term++;
});

Deno.bench(`${CALLS} calls of observe`, () => {
  for (let i = 0; i < CALLS; i++) node.observe({ role: "leader", term: term++ });
});

Deno.bench(`${CALLS} calls of sometimes`, () => {
  for (let i = 0; i < CALLS; i++) node.sometimes("steps down", term++ > 0);
});

Deno.bench(`${CALLS} calls of always`, () => {
  for (let i = 0; i < CALLS; i++) node.always(term++ < 0, "terms only grow");
});

import { assertEquals } from "@std/assert";
import { check } from "../report.ts";
import { handmade, type Row } from "../testing.ts";
import { elementsView } from "./elements.ts";

function viewOf(...rows: readonly Row[]) {
  const history = handmade(...rows);
  const report = check(history, { workload: "broadcast", consistencyModels: [] });
  return elementsView({ history, report });
}

const read = (process: number, ...elements: number[]): Row[] => [
  [process, "invoke", "read"],
  [process, "ok", "read", elements],
];
const add = (process: number, element: number): Row[] => [
  [process, "invoke", "broadcast", element],
  [process, "ok", "broadcast"],
];

Deno.test("a lost element has the reads of each node that had it, and those that missed it", () => {
  const view = viewOf(
    ...read(1),
    ...add(0, 7),
    ...read(1, 7),
    ...read(1, 7),
    ...read(2),
    ...read(1),
  );
  assertEquals(view, {
    kind: "elements",
    elements: [{
      element: "7",
      outcome: "lost",
      op: 2,
      atMs: 2,
      nodes: [
        {
          node: "n1",
          runs: [
            { has: true, fromMs: 4, toMs: 6, count: 2, op: 5 },
            { has: false, fromMs: 10, toMs: 10, count: 1, op: 11 },
          ],
        },
        { node: "n2", runs: [{ has: false, fromMs: 8, toMs: 8, count: 1, op: 9 }] },
      ],
    }],
    count: 1,
  });
});

Deno.test("elements that came late are shown after those that are lost, up to a bound", () => {
  const late = viewOf(...add(0, 1), ...add(0, 2), ...read(1, 1), ...read(1, 1, 2));
  assertEquals(late?.elements.map(({ element, outcome }) => [element, outcome]), [["2", "late"]]);
  const many = Array.from({ length: 20 }, (_, i) => add(0, i)).flat();
  const view = viewOf(...many, ...read(1));
  assertEquals([view?.elements.length, view?.count], [8, 20]);
});

Deno.test("nothing is shown of a run whose reads all had what they could", () => {
  assertEquals(viewOf(...add(0, 1), ...read(1, 1)), undefined);
});

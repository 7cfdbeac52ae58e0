/**
 * Peers that send nonsense: whatever a message between nodes has in it, no handler fails unseen, and
 * every client is answered.
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { findWorkload } from "@eddy/handlers/workloads";
import { type Body, isJsonObject, type Json, type Node } from "@eddy/maelstrom";
import { simulate, type WorkloadName, WORKLOADS } from "@eddy/workbench";

/** One change of a message. */
interface Lie {
  /** Which of the node's messages is sent once more, with the change. */
  readonly at: number;
  /** Which of the places in its body is changed. */
  readonly place: number;
  readonly value: Json;
}

/** Numbers at the edges of what a field may hold. */
const EDGES = [-1, 0, 1, 1.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e300];

const anyValue: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, "x", "", "__proto__", "n0", ...EDGES),
  fc.integer({ min: 0, max: 40 }),
  fc.constantFrom<Json>([], {}, [[]], [null], [[1, "x"]], { type: "x" }, { __proto: 1 }),
  fc.array(fc.constantFrom<Json>(0, "x", null, [], ...EDGES), { maxLength: 4 }),
);

const lies: fc.Arbitrary<Lie[]> = fc.array(
  fc.record({ at: fc.nat({ max: 60 }), place: fc.nat({ max: 400 }), value: anyValue }),
  { minLength: 1, maxLength: 12 },
);

/** Every place in a value, the outermost first. */
function placesIn(value: Json, path: readonly (string | number)[] = []): (string | number)[][] {
  const inner = Array.isArray(value)
    ? value.flatMap((item, index) => placesIn(item, [...path, index]))
    : isJsonObject(value)
    ? Object.entries(value).flatMap(([key, item]) => placesIn(item, [...path, key]))
    : [];
  return [[...path], ...inner];
}

function withChange(value: Json, path: readonly (string | number)[], change: Json): Json {
  const [first, ...rest] = path;
  if (first === undefined) return change;
  const copy = structuredClone(value) as Record<string | number, Json>;
  copy[first] = withChange(copy[first] ?? null, rest, change);
  return copy as Json;
}

/** Has a node send changed copies of its first messages to other nodes. */
function lie(node: Node, told: readonly Lie[]): void {
  let sent = 0;
  const send = node.send.bind(node);
  node.send = (dest, body) => {
    const number = sent++;
    for (const { at, place, value } of told) {
      if (at !== number) continue;
      const places = placesIn(body).filter(([key]) => key !== undefined && key !== "type");
      const path = places[place % places.length];
      if (path !== undefined) send(dest, withChange(body, path, value) as Body);
    }
    send(dest, body);
  };
}

async function complaints(workload: WorkloadName, args: string[], told: readonly Lie[]) {
  const serve = (await findWorkload(workload)).configure(args);
  const uncaught: string[] = [];
  const { history, results } = await simulate({
    workload,
    nodeCount: 3,
    rate: 20,
    timeLimitSeconds: 4,
    latency: { meanMs: 5, distribution: "exponential" },
    install(node) {
      serve(node);
      node.onInit(() => {
        if (node.id === "n0") lie(node, told);
      });
    },
    onLog: (name, text) => {
      if (text.startsWith("Uncaught")) uncaught.push(`${name}: ${text.split("\n", 1)[0]}`);
    },
  });
  const unanswered = history.filter(({ error }) => error?.text.startsWith("No reply"));
  return [
    ...uncaught,
    ...results.warnings.filter((warning) => warning.includes("not caught")),
    ...unanswered.map(({ node, f, process }) => `${node} did not answer ${f} of ${process}`),
  ];
}

const variants: [workload: WorkloadName, ...args: string[]][] = [
  ...WORKLOADS.map((workload): [WorkloadName] => [workload]),
  ["txn-rw-register", "--consistency", "read-committed"],
];

for (const [workload, ...args] of variants) {
  Deno.test(`${[workload, ...args].join(" ")} survives peers that send nonsense`, async () => {
    await fc.assert(
      fc.asyncProperty(lies, async (told) => {
        assertEquals(await complaints(workload, args, told), []);
      }),
      { numRuns: 60, seed: 7 },
    );
  });
}

/**
 * Right and wrong nodes for `unique-ids`.
 *
 * @module
 */

import { uniqueIdsSchema } from "@eddy/handlers";
import { KV, type Node } from "@eddy/maelstrom";
import { nowAndThen, serveAlone } from "./authority.ts";
import { KILLED, type Mutant } from "./mutant.ts";
import { ok, type Reference } from "./reference.ts";
import { asNumber } from "./stores.ts";

/** Right nodes for `unique-ids`. */
export const uniqueIds: Reference = {
  workload: "unique-ids",
  schema: uniqueIdsSchema,
  inMemory() {
    let id = 0;
    return (body) => ok(body, { id: id++ });
  },
  onStore: (store) => async () => ({
    id: await store.update("ids", 0, (count) => asNumber(count) + 1),
  }),
};

/** A server of ids; each node has its own. */
function ids(name: string, makeId: (node: Node) => () => string | number): Mutant {
  return {
    name,
    workload: "unique-ids",
    anomaly: "duplicated",
    install(node) {
      const id = makeId(node);
      serveAlone(node, uniqueIds, () => ({ id: id() }));
    },
  };
}

/** Wrong nodes for `unique-ids`. */
export const uniqueIdsMutants: readonly Mutant[] = [
  ids("counts without naming the node", () => {
    let count = 0;
    return () => count++;
  }),
  ids("gives an id twice now and then", (node) => {
    let count = 0;
    return () => `${node.id}-${nowAndThen(node, 0.02) ? count : ++count}`;
  }),
  ids("draws ids from too few", (node) => () => Math.floor(node.random.next() * 5000)),
  {
    ...ids(
      "takes the time for an id",
      (node) => () => `${node.id}-${Math.floor(node.clock.now())}`,
    ),
    needs: { rate: 500 },
  },
  {
    ...ids("counts from the start again after a crash", (node) => {
      let count = 0;
      return () => `${node.id}-${count++}`;
    }),
    needs: KILLED,
  },
  {
    name: "takes ids from a count that it reads and then writes",
    workload: "unique-ids",
    anomaly: "duplicated",
    install(node) {
      const kv = new KV<string, number>(node, "lin-kv");
      serveAlone(node, uniqueIds, async () => {
        const id = await kv.readOr("ids", 0);
        await kv.write("ids", id + 1);
        return { id };
      });
    },
  },
  {
    ...ids("numbers some ids and names others", (node) => {
      let count = 0;
      return () => nowAndThen(node, 0.5) ? Number(`${node.id.slice(1)}.${++count}1`) : `${++count}`;
    }),
    anomaly: "incomparable-ids",
  },
];

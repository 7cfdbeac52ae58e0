/**
 * Right and wrong nodes for `g-set`.
 *
 * @module
 */

import { gSetSchema } from "@eddy/handlers";
import type { Json } from "@eddy/maelstrom";
import { serveAlone } from "./authority.ts";
import {
  AlteringSet,
  type GossipReference,
  LeakySet,
  setReference,
  SetReplica,
  wrongReplica,
} from "./gossip.ts";
import { KILLED, type Mutant } from "./mutant.ts";
import { carelessStore, kvStore } from "./stores.ts";

/** Right nodes for `g-set`. */
export const gSet: GossipReference = setReference({
  workload: "g-set",
  schema: gSetSchema,
  sent: "element",
  read: "value",
});

/** Replaces its own copy by another node's. */
class OverwrittenSet extends SetReplica {
  override merge(copy: Json): void {
    this.elements.clear();
    super.merge(copy);
  }
}

/** Wrong nodes for `g-set`. */
export const gSetMutants: readonly Mutant[] = [
  wrongReplica(gSet, "loses an element now and then", (node) => new LeakySet(node), "lost"),
  wrongReplica(gSet, "takes another's set for its own", () => new OverwrittenSet(), "lost"),
  wrongReplica(
    gSet,
    "leaves out the first element",
    () => new AlteringSet((elements) => elements.slice(1)),
    "lost",
  ),
  wrongReplica(
    gSet,
    "loses in a crash what it has not sent yet",
    () => new SetReplica(),
    "lost",
    KILLED,
  ),
  {
    name: "reads the set and then writes it",
    workload: "g-set",
    anomaly: "lost",
    install: (node) => serveAlone(node, gSet, gSet.onStore(carelessStore(node))),
  },
  {
    name: "reads an old set from seq-kv",
    workload: "g-set",
    anomaly: "lost",
    needs: { nodeCount: 5, concurrency: "1n", rate: 5 },
    install: (node) => serveAlone(node, gSet, gSet.onStore(kvStore(node, "seq-kv"))),
  },
];

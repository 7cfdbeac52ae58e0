/**
 * Wrong nodes for `g-set`.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { AlteringSet, LeakySet, SetReplica, wrongReplica } from "./gossip.ts";
import { KILLED, type Mutant } from "./mutant.ts";
import { carelessStore, kvStore, serveFromStore } from "./stores.ts";

/** Replaces its own copy by another node's. */
class OverwrittenSet extends SetReplica {
  override merge(copy: Json): void {
    this.elements.clear();
    super.merge(copy);
  }
}

/** Wrong nodes for `g-set`. */
export const gSetMutants: readonly Mutant[] = [
  wrongReplica("g-set", "loses an element now and then", (node) => new LeakySet(node), "lost"),
  wrongReplica("g-set", "takes another's set for its own", () => new OverwrittenSet(), "lost"),
  wrongReplica(
    "g-set",
    "leaves out the first element",
    () => new AlteringSet((elements) => elements.slice(1)),
    "lost",
  ),
  wrongReplica(
    "g-set",
    "loses in a crash what it has not sent yet",
    () => new SetReplica(),
    "lost",
    KILLED,
  ),
  {
    name: "reads the set and then writes it",
    workload: "g-set",
    anomaly: "lost",
    install: (node) => serveFromStore(node, "g-set", carelessStore(node)),
  },
  {
    name: "reads an old set from seq-kv",
    workload: "g-set",
    anomaly: "lost",
    needs: { nodeCount: 5, concurrency: "1n", rate: 5 },
    install: (node) => serveFromStore(node, "g-set", kvStore(node, "seq-kv")),
  },
];

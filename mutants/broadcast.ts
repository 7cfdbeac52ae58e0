/**
 * Right and wrong nodes for `broadcast`.
 *
 * @module
 */

import { broadcastSchema } from "@eddy/handlers";
import { type Json, type Node, parseJson } from "@eddy/maelstrom";
import {
  AlteringSet,
  type GossipReference,
  LeakySet,
  serveReplica,
  setReference,
  SetReplica,
  wrongReplica,
} from "./gossip.ts";
import type { Mutant } from "./mutant.ts";

/** Right nodes for `broadcast`. */
export const broadcast: GossipReference = setReference({
  workload: "broadcast",
  schema: broadcastSchema,
  sent: "message",
  read: "messages",
});

/** Keeps the newest elements only. */
class BoundedSet extends SetReplica {
  override add(value: Json): void {
    super.add(value);
    for (const oldest of this.elements.keys()) {
      if (this.elements.size <= 32) break;
      this.elements.delete(oldest);
    }
  }
}

/** Forwards each value of a client once, to the nodes that `to` gives. */
function forwards(node: Node, to: () => readonly string[], relays: boolean): void {
  const set = new SetReplica();
  const send = (value: Json, except: string) => {
    for (const dest of to()) if (dest !== except) node.send(dest, { type: "element", value });
  };
  node.on("element", ({ src, body: { value = null } }) => {
    const size = set.elements.size;
    set.add(value);
    if (relays && set.elements.size > size) send(value, src);
  });
  serveReplica(node, broadcast, {
    add(value) {
      set.add(value);
      send(value, "");
    },
    read: () => set.read(),
    copy: () => null,
    merge() {},
  });
}

/** The nodes before and after this one. */
function beside(node: Node): string[] {
  const place = node.nodeIds.indexOf(node.id);
  return node.nodeIds.filter((_, i) => Math.abs(i - place) === 1);
}

/** Wrong nodes for `broadcast`. */
export const broadcastMutants: readonly Mutant[] = [
  wrongReplica(broadcast, "loses a value now and then", (node) => new LeakySet(node), "lost"),
  wrongReplica(broadcast, "keeps only the newest values", () => new BoundedSet(), "lost"),
  wrongReplica(
    broadcast,
    "returns whole values as floats",
    () => new AlteringSet((elements) => elements.map((each) => parseJson(`${each}.0`))),
    "lost",
  ),
  wrongReplica(
    broadcast,
    "returns every value twice",
    () => new AlteringSet((elements) => [...elements, ...elements]),
    "Element more than once in one read",
  ),
  {
    name: "does not send its values to other nodes",
    workload: "broadcast",
    anomaly: "lost",
    install: (node) => serveReplica(node, broadcast, new SetReplica()),
  },
  {
    name: "does not pass on what its neighbours say",
    workload: "broadcast",
    anomaly: "lost",
    needs: { nodeCount: 5 },
    install: (node) => forwards(node, () => beside(node), false),
  },
  {
    name: "forwards values once, whether they arrive or not",
    workload: "broadcast",
    anomaly: "lost",
    needs: { nemesis: ["partition"] },
    install: (node) => forwards(node, () => node.otherNodes, true),
  },
];

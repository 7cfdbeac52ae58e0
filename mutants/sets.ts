/**
 * Wrong nodes for `broadcast` and `g-set`.
 *
 * @module
 */

import { type Json, type Node, parseJson } from "@eddy/maelstrom";
import { nowAndThen } from "./authority.ts";
import { KILLED, type Mutant, type Settings } from "./candidate.ts";
import { type GossipWorkload, serveByGossip, serveReplica, SetReplica } from "./gossip.ts";
import { carelessStore, kvStore, serveFromStore } from "./stores.ts";

/** A node whose copy of the set is not what it should be. */
function replicas(
  workload: GossipWorkload,
  name: string,
  makeReplica: (node: Node) => SetReplica,
  needs: Settings = {},
  deserves = "lost",
): Mutant {
  const install = (node: Node) => serveByGossip(node, workload, makeReplica(node));
  return { name, workload, deserves, needs, install };
}

/** Does not keep what it is given now and then. */
class LeakySet extends SetReplica {
  readonly #node: Node;

  constructor(node: Node) {
    super();
    this.#node = node;
  }

  override add(value: Json): void {
    if (!nowAndThen(this.#node, 0.05)) super.add(value);
  }

  override merge(copy: Json): void {
    for (const value of Array.isArray(copy) ? copy : []) super.add(value);
  }
}

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

/** Takes another's copy for its own. */
class OverwrittenSet extends SetReplica {
  override merge(copy: Json): void {
    this.elements.clear();
    super.merge(copy);
  }
}

/** Returns elements other than they came. */
class AlteringSet extends SetReplica {
  readonly #alter: (elements: Json[]) => Json;

  constructor(alter: (elements: Json[]) => Json) {
    super();
    this.#alter = alter;
  }

  override read(): Json {
    return this.#alter([...this.elements.values()]);
  }

  override copy(): Json {
    return super.read();
  }
}

/** Forwards what clients say once, to whom `to` names, and never again. */
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
  serveReplica(node, "broadcast", {
    add(value) {
      set.add(value);
      send(value, "");
    },
    read: () => set.read(),
    copy: () => null,
    merge() {},
  });
}

/** Its neighbours in a line. */
function beside(node: Node): string[] {
  const place = node.nodeIds.indexOf(node.id);
  return node.nodeIds.filter((_, i) => Math.abs(i - place) === 1);
}

/** Wrong nodes for `broadcast`. */
export const broadcastMutants: readonly Mutant[] = [
  replicas("broadcast", "loses a value now and then", (node) => new LeakySet(node)),
  replicas("broadcast", "keeps only the newest values", () => new BoundedSet()),
  replicas(
    "broadcast",
    "returns whole values as floats",
    () => new AlteringSet((elements) => elements.map((each) => parseJson(`${each}.0`))),
  ),
  replicas(
    "broadcast",
    "returns every value twice",
    () => new AlteringSet((elements) => [...elements, ...elements]),
    {},
    "Element more than once in one read",
  ),
  {
    name: "tells nobody of its values",
    workload: "broadcast",
    deserves: "lost",
    install: (node) => serveReplica(node, "broadcast", new SetReplica()),
  },
  {
    name: "does not pass on what its neighbours say",
    workload: "broadcast",
    deserves: "lost",
    needs: { nodeCount: 5 },
    install: (node) => forwards(node, () => beside(node), false),
  },
  {
    name: "forwards values once, whether they arrive or not",
    workload: "broadcast",
    deserves: "lost",
    needs: { nemesis: ["partition"] },
    install: (node) => forwards(node, () => node.otherNodes, true),
  },
];

/** Wrong nodes for `g-set`. */
export const gSetMutants: readonly Mutant[] = [
  replicas("g-set", "loses an element now and then", (node) => new LeakySet(node)),
  replicas("g-set", "takes another's set for its own", () => new OverwrittenSet()),
  replicas(
    "g-set",
    "leaves out the first element",
    () => new AlteringSet((elements) => elements.slice(1)),
  ),
  replicas("g-set", "forgets in a crash what it has told nobody", () => new SetReplica(), KILLED),
  {
    name: "reads the set and then writes it",
    workload: "g-set",
    deserves: "lost",
    install: (node) => serveFromStore(node, "g-set", carelessStore(node)),
  },
  {
    name: "reads an old set from seq-kv",
    workload: "g-set",
    deserves: "lost",
    needs: { nodeCount: 5, concurrency: "1n", rate: 5 },
    install: (node) => serveFromStore(node, "g-set", kvStore(node, "seq-kv")),
  },
];

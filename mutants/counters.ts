/**
 * Wrong nodes for `g-counter` and `pn-counter`.
 *
 * @module
 */

import { type Json, type Node, parseJson } from "@eddy/maelstrom";
import { nowAndThen } from "./authority.ts";
import { KILLED, type Mutant, type Settings } from "./candidate.ts";
import { CounterReplica, type GossipWorkload, serveByGossip, serveReplica } from "./gossip.ts";
import { carelessStore, serveFromStore } from "./stores.ts";

/** A node whose copy of the counter is not what it should be. */
function replicas(
  workload: GossipWorkload,
  name: string,
  makeReplica: (node: Node) => CounterReplica,
  needs: Settings = {},
  deserves = "wrong-final-read",
): Mutant {
  const install = (node: Node) => serveByGossip(node, workload, makeReplica(node));
  return { name, workload, deserves, needs, install };
}

/** Does with each addition what `change` says. */
class AlteringCounter extends CounterReplica {
  readonly #change: (delta: number) => number;

  constructor(node: Node, change: (delta: number) => number) {
    super(node);
    this.#change = change;
  }

  override add(value: Json): void {
    super.add(this.#change(Number(value)));
  }
}

/** Adds up what it should compare. */
class SummingCounter extends CounterReplica {
  override merge(copy: Json): void {
    for (const [id, [added, taken]] of Object.entries(copy as Record<string, [number, number]>)) {
      const own = this.tally(id);
      this.tallies.set(id, { added: own.added + added, taken: own.taken + taken });
    }
  }
}

/** Keeps one number for what was added and what was taken away, of which the greater wins. */
class NetCounter extends CounterReplica {
  readonly #id: () => string;

  constructor(node: Node) {
    super(node);
    this.#id = () => node.id;
  }

  override add(value: Json): void {
    const { added } = this.tally(this.#id());
    this.tallies.set(this.#id(), { added: added + Number(value), taken: 0 });
  }
}

/** Returns its sum as `5.0`. */
class FloatCounter extends CounterReplica {
  override read(): Json {
    return parseJson(`${super.read()}.0`);
  }
}

/** Sends what clients add to everyone until everyone has confirmed it, and counts what arrives. */
function serveByResending(node: Node): void {
  let sum = 0;
  node.on("delta", ({ body: { delta = 0 } }) => {
    sum += Number(delta);
    return {};
  });
  serveReplica(node, "g-counter", {
    add(delta) {
      sum += Number(delta);
      for (const dest of node.otherNodes) {
        const send = () => node.rpc(dest, { type: "delta", delta }, { timeoutMs: 200 });
        node.retry(send, { deadlineMs: 9000 }).catch(() => {});
      }
    },
    read: () => sum,
    copy: () => null,
    merge() {},
  });
}

/** Wrong nodes for `g-counter`. */
export const gCounterMutants: readonly Mutant[] = [
  replicas(
    "g-counter",
    "counts twice now and then",
    (node) => new AlteringCounter(node, (delta) => nowAndThen(node, 0.1) ? 2 * delta : delta),
  ),
  replicas("g-counter", "adds up what it should compare", (node) => new SummingCounter(node)),
  replicas(
    "g-counter",
    "returns its sum as a float",
    (node) => new FloatCounter(node),
    {},
    "malformed-rpc-response",
  ),
  replicas("g-counter", "forgets its count in a crash", (node) => new CounterReplica(node), KILLED),
  {
    name: "counts again what it was sent again",
    workload: "g-counter",
    deserves: "wrong-final-read",
    needs: { nemesis: ["partition"], latency: { meanMs: 30 } },
    install: serveByResending,
  },
  {
    name: "keeps its count to itself",
    workload: "g-counter",
    deserves: "wrong-final-read",
    install: (node) => serveReplica(node, "g-counter", new CounterReplica(node)),
  },
];

/** Wrong nodes for `pn-counter`. */
export const pnCounterMutants: readonly Mutant[] = [
  replicas(
    "pn-counter",
    "takes nothing away",
    (node) => new AlteringCounter(node, (delta) => Math.max(delta, 0)),
  ),
  replicas(
    "pn-counter",
    "loses an addition now and then",
    (node) => new AlteringCounter(node, (delta) => nowAndThen(node, 0.1) ? 0 : delta),
  ),
  replicas("pn-counter", "merges as if it only grew", (node) => new NetCounter(node)),
  {
    name: "reads the sum and then writes it",
    workload: "pn-counter",
    deserves: "wrong-final-read",
    install: (node) => serveFromStore(node, "pn-counter", carelessStore(node)),
  },
];

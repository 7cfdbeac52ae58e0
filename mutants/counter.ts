/**
 * Right and wrong nodes for `g-counter` and `pn-counter`.
 *
 * @module
 */

import { counterSchema } from "@eddy/handlers";
import { type Json, type Node, parseJson } from "@eddy/maelstrom";
import { nowAndThen, serveAlone } from "./authority.ts";
import { CounterReplica, type GossipReference, serveReplica, wrongReplica } from "./gossip.ts";
import { KILLED, type Mutant } from "./mutant.ts";
import { ok } from "./reference.ts";
import { asNumber, carelessStore } from "./stores.ts";

/** Right nodes for `g-counter`. */
export const gCounter: GossipReference = {
  workload: "g-counter",
  schema: counterSchema,
  sent: "delta",
  read: "value",
  replica: (node) => new CounterReplica(node),
  inMemory() {
    let sum = 0;
    return (body) => {
      if (typeof body.delta === "number") sum += body.delta;
      return ok(body, body.type === "read" ? { value: sum } : {});
    };
  },
  onStore: (store) => async ({ type, delta = 0 }) => {
    if (type === "read") return { value: await store.read("sum", 0) };
    await store.update("sum", 0, (sum) => asNumber(sum) + asNumber(delta));
    return {};
  },
};

/** Right nodes for `pn-counter`. */
export const pnCounter: GossipReference = { ...gCounter, workload: "pn-counter" };

const WRONG = "wrong-final-read";

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
  serveReplica(node, gCounter, {
    add(delta) {
      sum += Number(delta);
      for (const dest of node.otherNodes) {
        const send = () => node.rpc(dest, { type: "delta", delta }, { timeoutMs: 200 });
        node.retry(send, { timeoutMs: 9000 }).catch(() => {});
      }
    },
    read: () => sum,
    copy: () => null,
    merge() {},
  });
}

/** Wrong nodes for `g-counter`. */
export const gCounterMutants: readonly Mutant[] = [
  wrongReplica(
    gCounter,
    "counts twice now and then",
    (node) => new AlteringCounter(node, (delta) => nowAndThen(node, 0.1) ? 2 * delta : delta),
    WRONG,
  ),
  wrongReplica(
    gCounter,
    "adds up what it should compare",
    (node) => new SummingCounter(node),
    WRONG,
  ),
  wrongReplica(
    gCounter,
    "returns its sum as a float",
    (node) => new FloatCounter(node),
    "malformed-rpc-response",
  ),
  wrongReplica(
    gCounter,
    "forgets its count in a crash",
    (node) => new CounterReplica(node),
    WRONG,
    KILLED,
  ),
  {
    name: "counts again what it was sent again",
    workload: "g-counter",
    anomaly: WRONG,
    needs: { nemesis: ["partition"], latency: { meanMs: 30 } },
    install: serveByResending,
  },
  {
    name: "keeps its count to itself",
    workload: "g-counter",
    anomaly: WRONG,
    install: (node) => serveReplica(node, gCounter, new CounterReplica(node)),
  },
];

/** Wrong nodes for `pn-counter`. */
export const pnCounterMutants: readonly Mutant[] = [
  wrongReplica(
    pnCounter,
    "takes nothing away",
    (node) => new AlteringCounter(node, (delta) => Math.max(delta, 0)),
    WRONG,
  ),
  wrongReplica(
    pnCounter,
    "loses an addition now and then",
    (node) => new AlteringCounter(node, (delta) => nowAndThen(node, 0.1) ? 0 : delta),
    WRONG,
  ),
  wrongReplica(pnCounter, "merges as if it only grew", (node) => new NetCounter(node), WRONG),
  {
    name: "reads the sum and then writes it",
    workload: "pn-counter",
    anomaly: WRONG,
    install: (node) => serveAlone(node, pnCounter, pnCounter.onStore(carelessStore(node))),
  },
];

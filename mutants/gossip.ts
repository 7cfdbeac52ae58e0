/**
 * Sets and counters of which every node has a copy, sent to all others again and again. They are
 * right under every fault of the network, as long as no node loses its memory.
 *
 * @module
 */

import { canonical, type Json, jsonEqual, type JsonObject, type Node } from "@eddy/maelstrom";
import { nowAndThen, serveAlone } from "./authority.ts";
import type { Mutant, Settings } from "./mutant.ts";
import { ok, type Reference } from "./reference.ts";
import { asList } from "./stores.ts";

/** How often copies are sent round. */
const INTERVAL_MS = 250;

/** A node's copy of a replicated state. */
export interface ReplicatedState {
  /** Takes a client's addition. */
  add(value: Json): void;
  /** What a client reads. */
  read(): Json;
  /** The copy as it is sent to others. */
  copy(): Json;
  /** Takes in what another node has. */
  merge(copy: Json): void;
}

/** A set that only grows. */
export class SetReplica implements ReplicatedState {
  /** Elements by their canonical texts. */
  readonly elements: Map<string, Json> = new Map();

  add(value: Json): void {
    this.elements.set(canonical(value), value);
  }

  read(): Json {
    return [...this.elements.values()];
  }

  copy(): Json {
    return this.read();
  }

  merge(copy: Json): void {
    for (const value of Array.isArray(copy) ? copy : []) this.add(value);
  }
}

/** How much one node has added, and how much it has taken away. */
export interface NodeTally {
  readonly added: number;
  readonly taken: number;
}

/** A counter: what each node has added and taken away, of which both only grow. */
export class CounterReplica implements ReplicatedState {
  readonly tallies: Map<string, NodeTally> = new Map();
  readonly #node: Node;

  constructor(node: Node) {
    this.#node = node;
  }

  add(value: Json): void {
    const delta = Number(value);
    const { added, taken } = this.tally(this.#node.id);
    const tally = { added: added + Math.max(delta, 0), taken: taken + Math.max(-delta, 0) };
    this.tallies.set(this.#node.id, tally);
  }

  read(): Json {
    let sum = 0;
    for (const { added, taken } of this.tallies.values()) sum += added - taken;
    return sum;
  }

  copy(): Json {
    return Object.fromEntries(
      [...this.tallies].map(([id, { added, taken }]): [string, Json] => [id, [added, taken]]),
    );
  }

  merge(copy: Json): void {
    for (const [id, [added, taken]] of Object.entries(copy as Record<string, [number, number]>)) {
      const own = this.tally(id);
      this.tallies.set(id, {
        added: Math.max(own.added, added),
        taken: Math.max(own.taken, taken),
      });
    }
  }

  /** What is known of a node. */
  tally(id: string): NodeTally {
    return this.tallies.get(id) ?? { added: 0, taken: 0 };
  }
}

/** A workload that can be served so. */
export interface GossipReference extends Reference {
  /** The key of what clients send. */
  readonly sent: string;
  /** The key of what they read. */
  readonly read: string;
  /** Makes a node's copy, one that is right. */
  readonly replica: (node: Node) => ReplicatedState;
}

/** Right nodes for a workload whose clients add elements to a set and read all of it. */
export function setReference(
  keys: Pick<GossipReference, "workload" | "schema" | "sent" | "read">,
): GossipReference {
  const { sent, read } = keys;
  return {
    ...keys,
    replica: () => new SetReplica(),
    inMemory() {
      const elements: Json[] = [];
      return (body) => {
        const element = body[sent];
        if (element !== undefined) elements.push(element);
        return ok(body, body.type === "read" ? { [read]: [...elements] } : {});
      };
    },
    onStore: (store) => async (body) => {
      if (body.type === "topology") return {};
      if (body.type === "read") return { [read]: await store.read("set", []) };
      const element = body[sent] ?? null;
      await store.update("set", [], (all) => {
        const elements = asList(all);
        const isKnown = elements.some((each) => jsonEqual(each, element));
        return isKnown ? elements : [...elements, element];
      });
      return {};
    },
  };
}

/** Serves a workload from copies that are sent to everyone again and again. */
export function serveByGossip(
  node: Node,
  reference: GossipReference,
  replica: ReplicatedState,
): void {
  serveReplica(node, reference, replica);
  node.on("gossip", ({ body }) => void replica.merge(body.copy ?? null));
  node.onInit(() => {
    node.every(INTERVAL_MS, () => node.broadcast({ type: "gossip", copy: replica.copy() }));
  });
}

/** Serves a workload from this node's copy alone. */
export function serveReplica(
  node: Node,
  reference: GossipReference,
  replica: ReplicatedState,
): void {
  const { sent, read } = reference;
  serveAlone(node, reference, (body: JsonObject) => {
    if (body.type === "read") return { [read]: replica.read() };
    if (body.type !== "topology") replica.add(body[sent] ?? null);
    return {};
  });
}

/** A node whose copy of the state is wrong. */
export function wrongReplica(
  reference: GossipReference,
  name: string,
  makeReplica: (node: Node) => ReplicatedState,
  anomaly: string,
  needs: Settings = {},
): Mutant {
  const install = (node: Node) => serveByGossip(node, reference, makeReplica(node));
  return { name, workload: reference.workload, anomaly, needs, install };
}

/** A set that does not keep some of what clients add. */
export class LeakySet extends SetReplica {
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

/** A set of which clients read something else than it holds. */
export class AlteringSet extends SetReplica {
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

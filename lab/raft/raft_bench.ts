/**
 * What consensus costs in process: entries through three nodes, with nothing in between.
 *
 * `deno bench --allow-all --v8-flags=--expose-gc raft` in `lab/`; the last group shows that a million operations cost the same each,
 * and leave nothing behind.
 */

import { Replica } from "@eddy/handlers/raft/replica";
import { KeyValueMachine } from "@eddy/handlers/raft/state_machines.ts";
import type { Json } from "@eddy/maelstrom";

/** Three replicas whose messages arrive at once, on a clock that is wound by hand. */
class Trio {
  readonly replicas: Replica[];
  nowMs = 0;
  #number = 0;
  #done = 0;

  constructor() {
    const nodeIds = ["n0", "n1", "n2"];
    const random = { next: () => 0.5 };
    this.replicas = nodeIds.map((id) =>
      new Replica({ id, nodeIds, random, nowMs: 0, machine: new KeyValueMachine() })
    );
    for (let i = 0; i < 100; i++) this.turn();
  }

  /** Lets a round of time pass, in which every node has a turn, and messages arrive. */
  turn(): void {
    this.nowMs += 2.5;
    for (const [i, replica] of this.replicas.entries()) {
      for (const { to, message } of replica.turn(this.nowMs)) {
        this.replicas[Number(to.slice(1))]?.step(`n${i}`, message, this.nowMs);
      }
    }
  }

  /** Executes operations, taken by all nodes alike, and waits for all of them. */
  execute(count: number): void {
    const end = this.#number + count;
    while (this.#number < end) {
      const number = this.#number++;
      const operation: Json = ["write", number % 1000, number];
      this.replicas[number % 3]?.execute(operation, this.nowMs, () => void this.#done++);
      if (number % 3000 === 0) this.turn();
    }
    for (let i = 0; this.#done < end && i < 10_000; i++) this.turn();
    if (this.#done < end) throw new Error(`Only ${this.#done} of ${end} were done`);
  }
}

for (const count of [1, 100, 10_000]) {
  const trio = new Trio();
  Deno.bench(`${count} entries at a time`, { group: "three nodes", n: 10_000 / count }, () => {
    trio.execute(count);
  });
}

const worn = new Trio();
let firstHeap = Infinity;

/** The memory that is in use, once it was collected (with `--v8-flags=--expose-gc`). */
function heapUsed(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return Deno.memoryUsage().heapUsed;
}

for (const part of [1, 2, 3, 4, 5]) {
  Deno.bench(`the ${part}. 200,000 of a million`, { group: "flat", n: 1, warmup: 0 }, (b) => {
    b.start();
    worn.execute(200_000);
    b.end();
    const heap = heapUsed();
    firstHeap = Math.min(firstHeap, heap);
    if (heap > 2 * firstHeap) throw new Error(`Memory grows: ${firstHeap} to ${heap} bytes`);
  });
}

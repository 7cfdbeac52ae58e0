/**
 * Valid histories of any length, as a cluster without faults would give them.
 *
 * @module
 */

import type { Json, Random } from "@eddy/maelstrom";
import { type Op, writeHistoryLine } from "@eddy/workbench/history.ts";
import { type WorkloadName, WORKLOADS } from "@eddy/workbench";
import { randomBelow, seededRandom } from "@eddy/workbench/random.ts";

/** How many processes there are, and how many nodes they talk to. */
const PROCESSES = 10;
const NODES = 5;

/** How many keys are in use at a time, and how often each is written to. */
const KEYS = 10;
const WRITES = 16;

/** After how many operations a key of lin-kv is replaced, as crashes do; in one history never. */
const KEY_OPERATIONS = 300;

/** How long after the last operations the last reads come. */
const RECOVERY_NS = 20e9;

/** An operation, and what it comes to: it takes effect as it ends. */
interface Drawn {
  readonly f: string;
  readonly value: Json;
  readonly end: () => Ending;
}

type Ending = Pick<Op, "value"> & Partial<Pick<Op, "type" | "error" | "final">>;

/** What clients of a workload do, and what comes last. */
interface Script {
  draw(number: number, process: number): Drawn;
  last?(): readonly Last[];
}

/** One of the last operations; processes of their own do them. */
interface Last {
  readonly f: string;
  readonly asked: Json;
  readonly value: Json;
  readonly final?: true;
}

/** The history of lin-kv with one key for all operations. */
const ONE_KEY = "lin-kv-one-key";

/** A kind of history: a workload, or what else is done to one. */
export type HistoryName = WorkloadName | typeof ONE_KEY;

/** All kinds of histories, by workload. */
export const HISTORIES: readonly HistoryName[] = WORKLOADS.flatMap((workload) =>
  workload === "lin-kv" ? [workload, ONE_KEY] : [workload]
);

/** The workload of a kind of history. */
export function workloadOf(name: HistoryName): WorkloadName {
  return name === ONE_KEY ? "lin-kv" : name;
}

/** The operations of a history, made one by one. */
export function* longHistory(name: HistoryName, operations: number): Generator<string> {
  const random = seededRandom(1, name);
  const { draw, last } = scripts[name](random);
  const open: (Drawn | undefined)[] = new Array(PROCESSES).fill(undefined);
  let [index, time] = [0, 0];
  const line = (process: number, op: Pick<Op, "f" | "value" | "type"> & Partial<Op>) => {
    time += 1000 + randomBelow(random, 5000);
    const node = `n${process % NODES}`;
    return writeHistoryLine({ index: index++, time, process, node, ...op }) + "\n";
  };
  for (let begun = 0, ended = 0; ended < operations;) {
    const process = randomBelow(random, PROCESSES);
    const pending = open[process];
    if (pending !== undefined) {
      yield line(process, { type: "ok", f: pending.f, ...pending.end() });
      open[process] = undefined;
      ended++;
    } else if (begun < operations) {
      const drawn = draw(begun++, process);
      open[process] = drawn;
      yield line(process, { type: "invoke", f: drawn.f, value: drawn.value });
    }
  }
  time += RECOVERY_NS;
  const lastOps = last?.() ?? [];
  for (let process = PROCESSES; process < PROCESSES + NODES; process++) {
    for (const { asked, ...op } of lastOps) {
      yield line(process, { ...op, type: "invoke", value: asked });
      yield line(process, { ...op, type: "ok" });
    }
  }
}

const scripts: Readonly<Record<HistoryName, (random: Random) => Script>> = {
  echo: (random) => ({
    draw: (number) => {
      const value = `Please echo ${randomBelow(random, 128)}`;
      const reply = { type: "echo_ok", echo: value, msg_id: number, in_reply_to: number };
      return { f: "echo", value, end: () => ({ value: reply }) };
    },
  }),
  "unique-ids": () => ({
    draw: (number, process) => {
      return {
        f: "generate",
        value: null,
        end: () => ({ value: `n${process % NODES}-${number}` }),
      };
    },
  }),
  broadcast: () => set("broadcast"),
  "g-set": () => set("add"),
  "g-counter": (random) => counter(() => randomBelow(random, 5)),
  "pn-counter": (random) => counter(() => randomBelow(random, 10) - 5),
  kafka,
  "lin-kv": (random) => registers(random, KEY_OPERATIONS),
  [ONE_KEY]: (random) => registers(random, Infinity),
  "txn-list-append": (random) => transactions(random, "append"),
  "txn-rw-register": (random) => transactions(random, "w"),
};

/** Adds, and reads of everything at the end only: those of millions of elements are long. */
function set(f: "broadcast" | "add"): Script {
  const all: number[] = [];
  return {
    draw: (value) => ({ f, value, end: () => ({ value: (all.push(value), value) }) }),
    last: () => [{ f: "read", asked: null, value: all }],
  };
}

/** As many adds as reads. */
function counter(draw: () => number): Script {
  let sum = 0;
  return {
    draw: (number) => {
      if (number % 2 === 0) return { f: "read", value: null, end: () => ({ value: sum }) };
      const value = draw();
      return { f: "add", value, end: () => ({ value: (sum += value, value) }) };
    },
    last: () => [{ f: "read", asked: null, value: sum, final: true }],
  };
}

/** Half are reads, a sixth writes, the others compare and set. */
function registers(random: Random, keyOperations: number): Script {
  const states = new Map<number, number>();
  return {
    draw: (number) => {
      const key = Math.floor(number / keyOperations);
      states.delete(key - KEYS);
      const kind = randomBelow(random, 6);
      const [from, to] = [randomBelow(random, 5), randomBelow(random, 5)];
      if (kind < 3) {
        const value = [key, null];
        const missing = { type: "fail", value, error: { code: 20, text: "no such key" } } as const;
        const end = () => {
          const state = states.get(key);
          return state === undefined ? missing : { value: [key, state] };
        };
        return { f: "read", value, end };
      }
      if (kind === 3) {
        const value = [key, to];
        return { f: "write", value, end: () => ({ value: (states.set(key, to), value) }) };
      }
      const value = [key, [from, to]];
      const end = (): Ending => {
        if (states.get(key) !== from) {
          return { type: "fail", value, error: { code: 22, text: `expected ${from}` } };
        }
        states.set(key, to);
        return { value };
      };
      return { f: "cas", value, end };
    },
  };
}

/** Keys of which each is written to a few times, and then replaced. */
class Keys {
  #first = 0;
  readonly #writes = new Map<number, number>();

  /** Any key that is in use. */
  any(random: Random): number {
    return this.#first + randomBelow(random, KEYS);
  }

  /** The next write of a key, or of the one that replaces the oldest. */
  write(random: Random): [key: number, value: number] {
    let key = this.any(random);
    if (this.#writes.get(key) === WRITES) {
      this.#writes.delete(this.#first);
      key = this.#first++ + KEYS;
    }
    const value = (this.#writes.get(key) ?? 0) + 1;
    this.#writes.set(key, value);
    return [key, value];
  }
}

function transactions(random: Random, write: "append" | "w"): Script {
  const keys = new Keys();
  const lists = new Map<number, number[]>();
  const listOf = (key: number) => {
    const list = lists.get(key) ?? [];
    // What is no longer used is kept for a while: transactions may be under way.
    if (list.length === 0) lists.delete(key - 4 * KEYS);
    lists.set(key, list);
    return list;
  };
  return {
    draw: () => {
      const mops = Array.from({ length: 1 + randomBelow(random, 4) }, () => {
        if (randomBelow(random, 2) === 0) return ["r", keys.any(random), null];
        return [write, ...keys.write(random)];
      });
      const end = () => ({
        value: mops.map(([f, key, value]) => {
          const list = listOf(Number(key));
          if (f !== "r") list.push(Number(value));
          else return ["r", key, write === "append" ? [...list] : list.at(-1) ?? null] as Json[];
          return [f, key, value] as Json[];
        }),
      });
      return { f: "txn", value: mops as Json[], end };
    },
  };
}

/** Sends, and polls of the keys that a process took on; the oldest of its keys it drops. */
function kafka(random: Random): Script {
  const keys = new Keys();
  const logs = new Map<number, number[]>();
  const positions = Array.from({ length: PROCESSES }, () => new Map<number, number>());
  const assign = (process: number): Drawn => {
    const first = keys.any(random);
    const taken = Array.from({ length: KEYS }, (_, i) => Math.max(0, first - KEYS + 1) + i);
    const end = () => {
      const before = positions[process];
      positions[process] = new Map(taken.map((key) => [key, before?.get(key) ?? 0]));
      return { value: taken.map(String) };
    };
    return { f: "assign", value: taken.map(String), end };
  };
  const send = (): Drawn => {
    const [key, value] = keys.write(random);
    const end = () => {
      const log = logs.get(key) ?? [];
      logs.set(key, log);
      return { value: [["send", String(key), [log.push(value) - 1, value]]] };
    };
    return { f: "send", value: [["send", String(key), value]], end };
  };
  const poll = (process: number): Drawn => {
    const end = () => {
      const polled: { [key: string]: Json } = {};
      for (const [key, from] of positions[process] ?? []) {
        const log = logs.get(key) ?? [];
        if (from >= log.length) continue;
        polled[key] = log.slice(from).map((value, i) => [from + i, value]);
        positions[process]?.set(key, log.length);
      }
      return { value: [["poll", polled]] };
    };
    return { f: "poll", value: [["poll"]], end };
  };
  return {
    draw: (number, process) => {
      if (number < 2 * PROCESSES || randomBelow(random, 64) === 0) return assign(process);
      return randomBelow(random, 2) === 0 ? send() : poll(process);
    },
    last: () => {
      const all = [...logs.keys()].map(String);
      const entries = [...logs].map(([key, log]) => [key, log.map((value, i) => [i, value])]);
      return [
        { f: "assign", asked: all, value: all },
        { f: "poll", asked: [["poll"]], value: [["poll", Object.fromEntries(entries)]] },
      ];
    },
  };
}

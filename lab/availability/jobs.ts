/**
 * The runs of `deno task availability`, and the goals of each.
 *
 * @module
 */

/** Runs of a command with one seed after the other. */
export interface AvailabilityJob {
  readonly name: string;
  /** Flags of `eddy test`, and after `--` those of the node. */
  readonly line: string;
  /** Whether only majorities can serve; otherwise every operation is to be served. */
  readonly needsMajority: boolean;
}

/** What share of settled operations is to be served, in every seed. */
export const SETTLED_GOAL = 0.999;
/** What share of possible operations is to be served, over all seeds. */
export const POSSIBLE_GOAL = 0.97;
/** What share of operations outside of any majority is to be refused within two round trips. */
export const REFUSED_GOAL = 0.99;

// So many clients that those who wait for a lost leader do not keep the others from asking.
const clients = "--concurrency 10n";

function consensus(workload: string, rate: number): AvailabilityJob[] {
  return [3, 5].map((nodeCount) => ({
    name: `${workload}, ${nodeCount} nodes`,
    line: `-w ${workload} --node-count ${nodeCount} ${clients} --rate ${rate} --time-limit 60 ` +
      "--nemesis partition",
    needsMajority: true,
  }));
}

const always = "--node-count 5 --rate 100 --time-limit 20 --nemesis partition --nemesis-interval 3";

function available(name: string, flags: string, rest = ""): AvailabilityJob {
  return { name, line: `${flags} ${always} ${rest}`.trim(), needsMajority: false };
}

/** All jobs. */
export const jobs: readonly AvailabilityJob[] = [
  ...consensus("lin-kv", 50),
  ...consensus("txn-list-append", 50),
  ...consensus("txn-rw-register", 50),
  ...["broadcast", "g-set", "g-counter", "pn-counter"].map((name) =>
    available(name, `-w ${name} --availability total`)
  ),
  // A client that crashes, as its generator has it, asks nothing and counts as unknown.
  available("kafka", "-w kafka --concurrency 2n"),
  available("unique-ids", "-w unique-ids --availability total"),
  available("echo", "-w echo --availability total"),
  available(
    "txn-rw-register, read committed",
    "-w txn-rw-register --concurrency 2n --consistency-models read-committed --availability total",
    "-- --consistency read-committed",
  ),
];

import { assert, assertEquals } from "@std/assert";
import { type RunHooks, simulate } from "@eddy/workbench";

type Faults = NonNullable<NonNullable<RunHooks["plan"]>["faults"]>;

const window = { drawn: "planned", fromMs: 2000, toMs: 3500 };

/** The first leader is cut off. */
const cut: Faults = [
  { kind: "partition", drops: { n0: ["n1", "n2"], n1: ["n0"], n2: ["n0"] }, ...window },
];

/** Its clock runs at one rate, and those of the others at another. */
const clocks = (leader: number, others: number): Faults => [
  { kind: "clock", nodes: ["n0"], clock: { rate: leader, jumpMs: 0 }, ...window },
  { kind: "clock", nodes: ["n1", "n2"], clock: { rate: others, jumpMs: 60_000 }, ...window },
];

/** What is found in 40 runs, each kind of it once. */
async function findings(faults: Faults, args: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (let seed = 0; seed < 40; seed++) {
    const { results } = await simulate({
      workload: "lin-kv",
      nodeCount: 3,
      concurrency: "2n",
      rate: 12,
      timeLimitSeconds: 4,
      latency: { meanMs: 2, distribution: "constant" },
      seed,
      args,
      plan: { faults },
    });
    for (const { anomaly } of results.findings) found.add(anomaly);
  }
  // With few operations it may be that none of a kind succeeds.
  found.delete("never-ok");
  return found;
}

Deno.test("a lease is wrong where clocks run at rates far apart, and right elsewhere", async () => {
  const lease = ["--lease-reads"];
  assert((await findings([...cut, ...clocks(0.25, 4)], lease)).has("nonlinearizable"));
  const right: readonly [faults: Faults, args: readonly string[]][] = [
    [cut, lease],
    [clocks(0.25, 4), lease],
    [[...cut, ...clocks(0.95, 1.05)], lease],
    [[...cut, ...clocks(0.25, 4)], []],
  ];
  for (const [faults, args] of right) assertEquals(await findings(faults, args), new Set());
});

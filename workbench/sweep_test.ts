import { assertEquals, assertRejects } from "@std/assert";
import type { Node } from "@eddy/maelstrom";
import { defaultOptions } from "./options.ts";
import { runJob, runJobs, runsAtOnce, runTasks } from "./sweep.ts";

/** A node that a job may name. */
export function serveWrongEcho(node: Node): void {
  node.on("echo", () => ({ echo: "something else" }));
}

/** A task of which one input fails. */
export function double(input: number): number {
  if (input === 3) throw new RangeError("Three is too much");
  return 2 * input;
}

const options = (seed: number) =>
  defaultOptions("echo", { nodeCount: 1, timeLimitSeconds: 1, seed });
const module = import.meta.url;

Deno.test("jobs come back in their order, each as if run alone", async () => {
  const jobs = [4, 3, 2, 1].map((seed) => ({ options: options(seed), args: [] }));
  const reported: number[] = [];
  const outcomes = await runJobs(jobs, { onOutcome: (_, index) => reported.push(index) });
  assertEquals(outcomes.map(({ seed }) => seed), [4, 3, 2, 1]);
  assertEquals(reported.sort(), [0, 1, 2, 3]);
  assertEquals(outcomes, await Promise.all(jobs.map(runJob)));
});

Deno.test("a job may bring its own node, named by module and export", async () => {
  const install = { module, name: "serveWrongEcho" };
  const outcomes = await runJobs([{ options: options(1), args: [], install }]);
  assertEquals(outcomes.map(({ valid }) => valid), [false]);
});

Deno.test("a task that fails, or does not exist, fails all", async () => {
  const tasks = (name: string) => [1, 2, 3].map((input) => ({ module, name, input }));
  await assertRejects(() => runTasks(tasks("double")), Error, "Three is too much");
  await assertRejects(() => runTasks(tasks("triple")), Error, "Cannot run triple of file:");
  assertEquals(await runTasks(tasks("double").slice(0, 2)), [2, 4]);
});

Deno.test("no tasks need no workers", async () => {
  assertEquals(await runTasks([]), []);
});

/** A task that does not return for one input. */
export function hangAt(input: number): number {
  while (input === 2);
  return input;
}

Deno.test("a task that does not return is ended with its worker, and the others go on", async () => {
  const limit = (input: number) => ({ seconds: input === 2 ? 1 : 600, result: "ended" });
  const tasks = [1, 2, 3, 4].map((input) => ({
    module,
    name: "hangAt",
    input,
    limit: limit(input),
  }));
  assertEquals(await runTasks<unknown>(tasks, undefined, undefined, 1), [1, "ended", 3, 4]);
});

Deno.test("as many runs at once as there are cores, and of processes fewer the more nodes", () => {
  const job = (nodeCount: number, bin?: string) => ({
    options: defaultOptions("echo", { nodeCount }),
    args: [],
    bin,
  });
  assertEquals(runsAtOnce([job(25), job(1)], 4), 4);
  const counts = [1, 2, 3, 5, 8, 25].map((nodes) => runsAtOnce([job(1, "x"), job(nodes, "x")], 8));
  assertEquals(counts, [8, 8, 5, 3, 2, 1]);
});

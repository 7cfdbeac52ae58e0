import { assert, assertEquals } from "@std/assert";
import { cpuMs, monotonicMs } from "./clock.ts";

const ignore = Deno.build.os !== "linux";

Deno.test("the clocks go forward, in steps finer than those of /proc", { ignore }, () => {
  for (const read of [monotonicMs, () => cpuMs(Deno.pid)]) {
    const times = Array.from({ length: 1000 }, read);
    assert(times.every((time, index) => time >= (times[index - 1] ?? 0)));
    assert(new Set(times).size > 10);
  }
});

Deno.test("a process that has ended has no processor time", { ignore }, async () => {
  const child = new Deno.Command("true").spawn();
  await child.status;
  assertEquals(cpuMs(child.pid), NaN);
});

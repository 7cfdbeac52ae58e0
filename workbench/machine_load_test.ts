import { assert, assertEquals, assertMatch } from "@std/assert";
import { LoadMeter, processorSeconds, ticksOf } from "./load_meter.ts";
import { loadWarning, type MachineLoad } from "./machine_load.ts";
import { quantiles } from "./checkers/checker.ts";
import { VirtualClock } from "./virtual_clock.ts";

const idle: MachineLoad = {
  lagMs: quantiles([...new Array(99).fill(1), 12]),
  nodes: { n0: { cores: 0.1, busyShare: 0 }, n1: { cores: 0.02, busyShare: 0.2 } },
  cores: 2,
};
const lagging = { ...idle, lagMs: quantiles([2, 3, 20, 21, 300]) };

Deno.test("an idle machine decides nothing", () => {
  assertEquals(loadWarning(idle, 0, 0.8), undefined);
  assertEquals(loadWarning(idle, 100, undefined), undefined);
});

Deno.test("a lag matters where it is not small beside the latency and what operations took", () => {
  assertEquals(
    loadWarning(lagging, 0, 35.1),
    "The machine, rather than the network, decided latencies: timers of the workbench were 20 ms " +
      "late in the median, 300 ms once in twenty times and 300 ms at most, where the latency asked " +
      "for is 0 ms and operations took 35 ms (median)",
  );
  assertMatch(loadWarning(lagging, 10, undefined) ?? "", / is 10 ms and no operation succeeded$/);
  assertEquals(loadWarning(lagging, 3001, 5), undefined);
  assertEquals(loadWarning(lagging, 0, 3001), undefined);
  const little = { ...idle, lagMs: quantiles(new Array(9).fill(4.9)) };
  assertEquals(loadWarning(little, 0, 0.1), undefined);
});

Deno.test("a node that uses up a core for a quarter of the time is named", () => {
  const busy = (busyShare: number) => ({ cores: 0.3, busyShare });
  const nodes = { n0: busy(0.25), n1: busy(0.24), n2: busy(1) };
  assertEquals(
    loadWarning({ ...idle, nodes }, 0, 1),
    "The machine, rather than the network, decided latencies: a core was used up by n2 (100 % of " +
      "the time), n0 (25 % of the time)",
  );
  const many = { n0: busy(1), n1: busy(1), n2: busy(1), n3: busy(1) };
  assertMatch(loadWarning({ ...idle, nodes: many, cores: 8 }, 0, 1) ?? "", / and 1 more$/);
});

Deno.test("nodes that use up all cores together are said, however little each", () => {
  const nodes = { n0: { cores: 0.9, busyShare: 0 }, n1: { cores: 0.9, busyShare: 0 } };
  assertMatch(loadWarning({ ...idle, nodes }, 0, 1) ?? "", /the nodes used 1\.8 of 2 cores$/);
  assertEquals(loadWarning({ ...idle, nodes, cores: 4 }, 0, 1), undefined);
});

Deno.test("lags are measured until the meter is stopped, and a bounded number is kept", () => {
  const virtual = new VirtualClock();
  let behindMs = 0;
  const clock = { now: () => virtual.now() + behindMs, schedule: virtual.schedule.bind(virtual) };
  const meter = new LoadMeter(clock, () => new Map());
  meter.start();
  for (let i = 0; i < 60_000; i++) {
    behindMs += i === 7 ? 400 : 2;
    virtual.step();
  }
  const { lagMs } = meter.load;
  assert(lagMs.count > 1000 && lagMs.count <= 10_000);
  assertEquals([lagMs.p50, lagMs.max], [2, 400]);
  meter.stop();
  assertEquals(virtual.step(), false, "no timer is left");
});

Deno.test("processor time is read with that of children", () => {
  const stat = "12 (a ) b) S 1 12 12 0 -1 4194560 10 20 0 0 100 20 3 4 20 0 1 0 500";
  assertEquals(ticksOf(stat), 127);
});

Deno.test({
  name: "processor time of processes: this one has used some, one that is gone none",
  ignore: Deno.build.os !== "linux",
  async fn() {
    assert(await processorSeconds(Deno.pid) > 0);
    assertEquals(await processorSeconds(2 ** 30), 0);
  },
});

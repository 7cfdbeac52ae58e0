// What nodes do where links are cut for good or for moments: who asks again, who stands, who stays.

import type { Outcome } from "@eddy/handlers/raft/replica";
import { RpcError } from "@eddy/maelstrom";
import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "@eddy/workbench/random.ts";
import { Cluster, type Slot } from "./cluster.ts";

/** A cluster that has a leader, and who that is. */
function settled(seed: number, nodeCount: number): { cluster: Cluster; leader: Slot } {
  const cluster = new Cluster({ seed, nodeCount, isStormy: false });
  cluster.runUntil(1500);
  const leader = cluster.slots.find(({ replica }) => replica.raft.role === "leader");
  assert(leader !== undefined, `Seed ${seed}`);
  return { cluster, leader };
}

/** How long it takes until another node leads. */
function successionMs(cluster: Cluster, old: Slot): number {
  const beganMs = cluster.nowMs;
  const leads = (slot: Slot) => slot !== old && slot.replica.raft.role === "leader";
  while (!cluster.slots.some(leads) && cluster.nowMs < beganMs + 10_000) {
    cluster.runUntil(cluster.nowMs + 5);
  }
  return cluster.nowMs - beganMs;
}

/** Cuts a node off from what others send. */
function deafen(cluster: Cluster, deaf: Slot): void {
  for (const { id } of cluster.slots) cluster.weather.cut.add(`${id} ${deaf.id}`);
}

Deno.test("a leader that receives nothing steps down before it would be missed", () => {
  const timeouts = [];
  for (let seed = 1; seed <= 20; seed++) {
    const { cluster, leader } = settled(seed, 3);
    cluster.runUntil(7000);
    const { electionMs } = leader.replica.raft;
    deafen(cluster, leader);
    timeouts.push(successionMs(cluster, leader) / electionMs);
  }
  // The others are told, and need not wait for a timeout; some votes are split.
  const [median = 0] = timeouts.sort((a, b) => a - b).slice(10);
  assert(median < 1, `${median} election timeouts`);
});

Deno.test("a leader that was stopped takes what waits for it before it steps down", () => {
  let stayed = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const { cluster, leader } = settled(seed, 3);
    cluster.runUntil(7000);
    const { electionMs, term } = leader.replica.raft;
    // It has not heard the others for longer than a timeout; they wait for up to two heartbeats more.
    leader.pausedUntilMs = cluster.nowMs + electionMs;
    cluster.runUntil(cluster.nowMs + 2000);
    if (leader.replica.raft.role === "leader" && leader.replica.raft.term === term) stayed++;
  }
  assert(stayed >= 5, `${stayed} of 20`);
});

Deno.test("a candidate that receives nothing keeps no other from standing", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { cluster, leader } = settled(seed, 5);
    const { electionMs } = leader.replica.raft;
    const deaf = cluster.slots.find((slot) => slot !== leader);
    if (deaf !== undefined) deafen(cluster, deaf);
    cluster.runUntil(cluster.nowMs + 1000);
    leader.pausedUntilMs = Infinity;
    const tookMs = successionMs(cluster, leader);
    assert(tookMs < 5 * electionMs, `Seed ${seed}: ${tookMs} ms, timeout ${electionMs} ms`);
  }
});

/** A cluster in virtual time whose links come and go. */
class Flapping {
  readonly cluster: Cluster;
  readonly #units: readonly (readonly string[])[];
  readonly #isBusy: boolean;
  readonly #random;
  #written = 0;

  /**
   * @param units the links, as in "n0 n1", that are cut together
   * @param isBusy whether every node is asked for a write every 25 ms
   */
  constructor(
    seed: number,
    cluster: Cluster,
    units: readonly (readonly string[])[],
    isBusy: boolean,
  ) {
    this.cluster = cluster;
    this.#units = units;
    this.#isBusy = isBusy;
    this.#random = seededRandom(seed, "flapping");
  }

  /** Cuts and heals each unit every 50 to 300 ms. */
  run(durationMs: number): void {
    const endMs = this.cluster.nowMs + durationMs;
    const { cut } = this.cluster.weather;
    const dueMs = this.#units.map(() => this.cluster.nowMs + this.#random.next() * 300);
    while (this.cluster.nowMs < endMs) {
      for (const [position, unit] of this.#units.entries()) {
        if ((dueMs[position] ?? 0) > this.cluster.nowMs) continue;
        for (const link of unit) if (!cut.delete(link)) cut.add(link);
        dueMs[position] = this.cluster.nowMs + 50 + this.#random.next() * 250;
      }
      if (this.#isBusy) {
        for (const node of this.cluster.slots.keys()) this.#write(node, () => {});
      }
      this.cluster.runUntil(this.cluster.nowMs + 25);
    }
    cut.clear();
  }

  /** How long it takes until every node has served a write. */
  serviceMs(): number {
    const beganMs = this.cluster.nowMs;
    const waiting = new Set(this.cluster.slots.keys());
    while (waiting.size > 0 && this.cluster.nowMs < beganMs + 5000) {
      for (const node of waiting) {
        this.#write(node, (outcome) => {
          if (!(outcome instanceof RpcError)) waiting.delete(node);
        });
      }
      this.cluster.runUntil(this.cluster.nowMs + 5);
    }
    return this.cluster.nowMs - beganMs;
  }

  #write(node: number, settle: (outcome: Outcome) => void): void {
    this.cluster.request(node, ["write", 0, ++this.#written], settle);
  }
}

/** All links of a cluster, each by itself. */
function singleLinks({ slots }: Cluster): string[][] {
  return slots.flatMap(({ id }) => peersOf(slots, id).map((peer) => [`${id} ${peer}`]));
}

/** For each node its links in both directions. */
function nodeLinks({ slots }: Cluster): string[][] {
  return slots.map(({ id }) =>
    peersOf(slots, id).flatMap((peer) => [`${id} ${peer}`, `${peer} ${id}`])
  );
}

function peersOf(slots: readonly Slot[], id: string): string[] {
  return slots.map((slot) => slot.id).filter((peer) => peer !== id);
}

for (
  const [what, units, isBusy, most] of [
    ["links", singleLinks, true, 8],
    ["nodes", nodeLinks, true, 6],
    ["nodes of an idle cluster", nodeLinks, false, 8],
  ] as const
) {
  for (const nodeCount of [3, 5]) {
    Deno.test(`${nodeCount} nodes hold few elections where ${what} come and go`, () => {
      let elections = 0;
      for (let seed = 1; seed <= 3; seed++) {
        const { cluster, leader } = settled(seed, nodeCount);
        const { term } = leader.replica.raft;
        const flapping = new Flapping(seed, cluster, units(cluster), isBusy);
        flapping.run(20_000);
        const tookMs = flapping.serviceMs();
        assert(tookMs < 500, `Seed ${seed}: ${tookMs} ms`);
        elections += Math.max(...cluster.slots.map(({ replica }) => replica.raft.term)) - term;
      }
      assert(elections / 3 <= most, `${elections} elections in 3 times 20 s`);
    });
  }
}

Deno.test("who is not answered asks again, ever more slowly, and says whom it suspects", () => {
  const { cluster, leader } = settled(1, 3);
  const [dead, other] = cluster.slots.filter((slot) => slot !== leader);
  assert(dead !== undefined && other !== undefined);
  dead.pausedUntilMs = Infinity;
  const { messages } = cluster;
  cluster.runUntil(cluster.nowMs + 20_000);
  const repeated = cluster.repeats.get(`${leader.id} ${dead.id}`) ?? 0;
  assert(repeated >= 10 && repeated < 40, `${repeated} in 20 s`);
  assertEquals([...cluster.repeats.keys()], [`${leader.id} ${dead.id}`]);
  // Two heartbeats and an answer 5 times a second, and the repeats.
  assert(cluster.messages - messages < 20 * 16 + repeated, `${cluster.messages - messages}`);
});

Deno.test("a candidate asks again those that do not answer it, and no others", () => {
  const { cluster, leader } = settled(1, 5);
  const [left, right, ...dead] = cluster.slots.filter((slot) => slot !== leader);
  assert(left !== undefined && right !== undefined);
  for (const slot of [leader, ...dead]) slot.pausedUntilMs = Infinity;
  cluster.runUntil(cluster.nowMs + 20_000);
  const { term } = leader.replica.raft;
  assertEquals([left, right].map(({ replica }) => replica.raft.term), [term, term]);
  assertEquals(cluster.repeats.has(`${left.id} ${leader.id}`), true);
  assertEquals(cluster.repeats.has(`${left.id} ${right.id}`), false);
  // Within a second without an answer repeats are about one a second.
  for (const [link, count] of cluster.repeats) assert(count < 25, `${link}: ${count} in 20 s`);
});

Deno.test("one whose messages do not arrive stays with a leader that it hears", () => {
  for (const nodeCount of [3, 5]) {
    for (let seed = 1; seed <= 10; seed++) {
      const { cluster, leader } = settled(seed, nodeCount);
      const { term } = leader.replica.raft;
      const mute = cluster.slots.find((slot) => slot !== leader);
      assert(mute !== undefined);
      for (const { id } of cluster.slots) cluster.weather.cut.add(`${mute.id} ${id}`);
      cluster.request(cluster.slots.indexOf(mute), ["write", 0, 1], () => {});
      cluster.runUntil(cluster.nowMs + 10_000);
      cluster.weather.cut.clear();
      cluster.runUntil(cluster.nowMs + 1000);
      const terms = cluster.slots.map(({ replica }) => replica.raft.term);
      assertEquals(terms, terms.map(() => term), `Seed ${seed}`);
      assertEquals(mute.replica.raft.leader, leader.id, `Seed ${seed}`);
    }
  }
});

Deno.test("a command that does not arrive is handed out again before the leader is missed", () => {
  let served = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const { cluster, leader } = settled(seed, 3);
    const follower = cluster.slots.find((slot) => slot !== leader);
    assert(follower !== undefined);
    const { raft } = follower.replica;
    const { patienceMs } = raft.link(leader.id);
    // Where messages take longer a later one arrives first, and shows that the link works.
    if (patienceMs > 100) continue;
    const cut = `${follower.id} ${leader.id}`;
    const beganMs = cluster.nowMs;
    cluster.weather.cut.add(cut);
    cluster.request(cluster.slots.indexOf(follower), ["write", 0, 1], () => {
      served++;
      assert(cluster.nowMs - beganMs < 2 * patienceMs, `Seed ${seed}: ${cluster.nowMs - beganMs}`);
    });
    cluster.runUntil(beganMs + patienceMs / 2);
    cluster.weather.cut.delete(cut);
    cluster.runUntil(beganMs + 1000);
    assertEquals(cluster.repeats.get(cut), 1, `Seed ${seed}`);
  }
  assert(served > 3, `${served}`);
});

Deno.test("a minority is told so as soon as all others can have stood for election", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { cluster, leader } = settled(seed, 5);
    const follower = cluster.slots.find((slot) => slot !== leader);
    assert(follower !== undefined);
    const minority = [leader, follower];
    const { electionMs, heartbeatMs } = leader.replica.raft;
    for (const { id } of minority) {
      for (const other of cluster.slots) {
        if (minority.includes(other)) continue;
        cluster.weather.cut.add(`${id} ${other.id}`).add(`${other.id} ${id}`);
      }
    }
    const isRefused = new Set<Slot>();
    const ask = (slot: Slot) =>
      cluster.request(cluster.slots.indexOf(slot), ["read", 0], (outcome) => {
        if (outcome instanceof RpcError && outcome.code === 11) isRefused.add(slot);
      });
    cluster.runUntil(cluster.nowMs + electionMs);
    for (const slot of minority) ask(slot);
    cluster.runUntil(cluster.nowMs + 2 * heartbeatMs + follower.replica.raft.electionMs / 4);
    assertEquals(isRefused.size, 2, `Seed ${seed}`);
    isRefused.clear();
    for (const slot of minority) ask(slot);
    cluster.runUntil(cluster.nowMs + 1);
    assertEquals(isRefused.size, 2, `Seed ${seed}, later`);
  }
});

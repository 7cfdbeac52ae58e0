import { assert, assertEquals, assertRejects } from "@std/assert";
import { MemoryStorage, type Storage, StorageError, type StorageWrite } from "@eddy/maelstrom";
import { Disks, drawKept, type Loss, LOSSES, type SimulatedDisk } from "./disk.ts";
import { seededRandom } from "./random.ts";
import { createVirtualWorld, type World } from "./world.ts";

/** Runs `main` with a disk, and a clock for its process. */
async function withDisk<T>(
  seed: number,
  main: (disk: SimulatedDisk, world: World) => Promise<T>,
): Promise<T> {
  const world = createVirtualWorld(seed);
  return await world.run(() => main(new Disks(world).of("n1"), world));
}

/** All that a storage has, of the values and the log that these tests write. */
function contentOf(storage: Storage) {
  const log = storage.log("log");
  return {
    a: storage.get("a"),
    b: storage.get("b"),
    base: log.base,
    snapshot: log.snapshot(),
    entries: log.entries(),
    other: storage.log("other").entries(),
  };
}

const sleep = (world: World, ms: number) =>
  new Promise<void>((resolve) => world.clock.schedule(ms, resolve));

/** Writes of all kinds, in steps; each leaves a different content. */
const STEPS: readonly ((storage: Storage) => void)[] = [
  (storage) => storage.set("a", 1),
  (storage) => storage.log("log").append(["x", "y", "z"]),
  (storage) => storage.set("b", { c: [2] }),
  (storage) => storage.log("other").append([1, 2]),
  (storage) => storage.log("log").truncate(3),
  (storage) => storage.log("log").append(["Z", "W"]),
  (storage) => storage.set("a", undefined),
  (storage) => storage.log("log").replace(3, ["snapshot"]),
  (storage) => storage.log("other").append([3]),
  (storage) => storage.set("a", 3),
];

/** Whether what a crash left is what the contract of a `Storage` allows. */
function isAllowed(left: ReturnType<typeof contentOf>, synced: number): boolean {
  const text = JSON.stringify;
  const isOneOf = (part: (content: ReturnType<typeof contentOf>) => unknown) =>
    STEPS.map((_, i) => i + 1).concat(0).filter((count) => count >= synced).some((count) =>
      prefixes(count).some((content) => text([part(content)]) === text([part(left)]))
    );
  return isOneOf(({ a }) => a) && isOneOf(({ b }) => b) && isOneOf(({ other }) => other) &&
    isOneOf(({ base, snapshot, entries }) => [base, snapshot, entries]);
}

/** What there may be after so many steps: if the last is an append, also with less of it. */
function prefixes(count: number): ReturnType<typeof contentOf>[] {
  const writes: StorageWrite[] = [];
  const storage = new (class extends MemoryStorage {
    override write(write: StorageWrite): void {
      writes.push(write);
      super.write(write);
    }
  })();
  for (const step of STEPS.slice(0, count)) step(storage);
  const last = writes.at(-1);
  if (last?.f !== "append") return [contentOf(storage)];
  return Array.from({ length: last.entries.length + 1 }, (_, length) => {
    const torn = new MemoryStorage();
    for (const write of writes.slice(0, -1)) torn.write(write);
    torn.write({ ...last, entries: last.entries.slice(0, length) });
    return contentOf(torn);
  });
}

/** What a crash leaves of {@linkcode STEPS}, of which a sync has covered the first ones. */
function crashed(seed: number, loss: Loss, synced: number) {
  return withDisk(seed, async (disk, world) => {
    const storage = disk.open(world.clock);
    for (const step of STEPS.slice(0, synced)) step(storage);
    await storage.sync();
    for (const step of STEPS.slice(synced)) step(storage);
    disk.crash(loss);
    return contentOf(disk.open(world.clock));
  });
}

Deno.test("a crash leaves nothing but what the contract of a storage allows", async () => {
  for (const loss of LOSSES) {
    for (let seed = 0; seed < 200; seed++) {
      const synced = seed % (STEPS.length + 1);
      const left = await crashed(seed, loss, synced);
      assert(isAllowed(left, synced), JSON.stringify({ loss, seed, synced, left }));
    }
  }
});

Deno.test("over seeds a crash leaves each thing that its kind can", async () => {
  const left = async (loss: Loss, synced = 0) => {
    const runs = Array.from({ length: 300 }, (_, seed) => crashed(seed, loss, synced));
    return await Promise.all(runs);
  };
  const empty = contentOf(new MemoryStorage());
  for (const each of await left("kill")) assertEquals(each, empty);
  const lost = await left("disk-lose");
  const full = prefixes(STEPS.length).at(-1);
  const has = (list: typeof lost, is: (each: typeof empty) => boolean) => list.some(is);
  const text = JSON.stringify;
  assert(has(lost, (each) => text(each) === text(empty)), "nothing");
  assert(has(lost, (each) => text(each) === text(full)), "all");
  assert(has(lost, ({ a, b }) => a === undefined && b !== undefined), "a later value alone");
  assert(has(lost, ({ a, entries }) => a === 3 && entries.length === 0), "and without the log");
  assert(has(lost, ({ other }) => other.length === 2), "a prefix of a log");
  const torn = await left("disk-torn");
  assert(has(torn, ({ entries }) => entries.length > 0 && entries.length < 3), "a torn append");
  assert(has(torn, ({ other }) => other.length === 1), "in each log");
  const writes: StorageWrite[] = [{ f: "append", log: "l", index: 1, entries: ["1", "2"] }];
  const draws = Array.from(
    { length: 50 },
    (_, seed) =>
      drawKept(writes, "disk-torn", seededRandom(seed, "test"))
        .map((write) => write.f === "append" && write.entries.length),
  );
  assertEquals(new Set(draws.flat()), new Set([0, 1]), "never the whole append");
});

Deno.test("a sync takes time, and covers what was written before it began", async () => {
  await withDisk(1, async (disk, world) => {
    const storage = disk.open(world.clock);
    assertEquals([storage.isDurable, storage.isDirty], [true, false]);
    storage.set("a", 1);
    const synced = storage.sync();
    storage.set("b", 2);
    await synced;
    assert(world.clock.now() > 0);
    assertEquals(storage.isDirty, true);
    disk.crash("kill");
    const next = disk.open(world.clock);
    assertEquals([next.get("a"), next.get("b"), next.isDirty], [1, undefined, false]);
  });
});

Deno.test("a sync under way at a crash neither ends nor makes anything durable", async () => {
  await withDisk(1, async (disk, world) => {
    const storage = disk.open(world.clock);
    storage.set("a", 1);
    let isOver = false;
    Promise.resolve(storage.sync()).finally(() => isOver = true);
    disk.crash("kill");
    const next = disk.open(world.clock);
    next.set("b", 2);
    storage.set("b", 3);
    await next.sync();
    await sleep(world, 1000);
    disk.crash("kill");
    const last = disk.open(world.clock);
    assertEquals([isOver, last.get("a"), last.get("b")], [false, undefined, 2]);
  });
});

Deno.test("a slow disk syncs slowly, until it does not", async () => {
  await withDisk(1, async (disk, world) => {
    const storage = disk.open(world.clock);
    const took = async () => {
      const beganMs = world.clock.now();
      storage.set("a", 1);
      await storage.sync();
      return world.clock.now() - beganMs;
    };
    assert(await took() < 1);
    const heal = disk.slowDown();
    const times = [await took(), await took(), await took()];
    assert(times.every((ms) => ms >= 20 && ms <= 500), String(times));
    heal();
    assert(await took() < 1);
  });
});

Deno.test("a sync that fails ends the process, and leaves any part of what it covered", async () => {
  const kept = new Set<unknown>();
  for (let seed = 0; seed < 50; seed++) {
    await withDisk(seed, async (disk, world) => {
      const storage = disk.open(world.clock);
      storage.set("a", 1);
      await storage.sync();
      storage.set("a", 2);
      let stops = 0;
      const heal = disk.fail({ fault: "disk-full", onStop: () => stops++ });
      const error = await assertRejects(
        async () => await storage.sync(),
        StorageError,
        "Cannot sync the storage of n1: no space left on device (ENOSPC)",
      );
      assertEquals([error.exitCode, stops], [74, 0]);
      disk.failed?.onStop();
      assertEquals(stops, 1);
      heal();
      // Tried again, it does not make durable what has failed before.
      await storage.sync();
      disk.crash("kill");
      assertEquals(disk.failed, undefined);
      kept.add(disk.open(world.clock).get("a"));
    });
  }
  assertEquals(kept, new Set([1, 2]));
});

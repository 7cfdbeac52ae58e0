import { assert, assertEquals, assertLess } from "@std/assert";
import { seededRandom } from "../random.ts";
import { type GeneratedOp, TxnGenerator } from "./txn.ts";

function microOps(
  settings: ConstructorParameters<typeof TxnGenerator>[0],
  txns: number,
): GeneratedOp[] {
  const generator = new TxnGenerator(settings, seededRandom(3, "txns"));
  return Array.from({ length: txns }, () => generator.draw()).flat();
}

Deno.test("each key is drawn twice as often as the one before", () => {
  const settings = { keyCount: 5, maxTxnLength: 1, maxWritesPerKey: 1e9 };
  const total = 62_000;
  const counts = [0, 0, 0, 0, 0];
  for (const { key } of microOps(settings, total)) counts[key] = (counts[key] ?? 0) + 1;
  counts.forEach((count, key) => {
    const share = 2 ** key / 31;
    const deviation = Math.sqrt(total * share * (1 - share));
    assertLess(Math.abs(count - total * share), 5 * deviation, `key ${key}: ${count}`);
  });
});

Deno.test("a key takes 1, 2, 3, ... up to its limit, then the next integer takes its slot", () => {
  const writes = new Map<number, number[]>();
  const lastUse = new Map<number, number>();
  const firstUse = new Map<number, number>();
  const all = microOps({ keyCount: 3, maxTxnLength: 4, maxWritesPerKey: 5 }, 2000);
  all.forEach(({ key, value }, i) => {
    if (!firstUse.has(key)) firstUse.set(key, i);
    lastUse.set(key, i);
    if (value !== undefined) writes.set(key, [...writes.get(key) ?? [], value]);
  });
  const keys = [...firstUse.keys()].toSorted((a, b) => a - b);
  assertEquals(keys, keys.map((_, i) => i));
  assert(keys.length > 300);
  const done = [...writes].filter(([key]) => (lastUse.get(key) ?? 0) < all.length - 500);
  for (const [key, values] of done) assertEquals(values, [1, 2, 3, 4, 5], `key ${key}`);
  // No more than three keys are in use at any time.
  for (let i = 0; i < all.length; i += 50) {
    const live = keys.filter((key) => (firstUse.get(key) ?? 0) < i && (lastUse.get(key) ?? 0) > i);
    assert(live.length <= 3, `${live} are all in use at ${i}`);
  }
});

Deno.test("a single key, and more keys than doubles can tell apart, both work", () => {
  const one = microOps({ keyCount: 1, maxTxnLength: 2, maxWritesPerKey: 1 }, 200);
  assertEquals(one.filter(({ value }) => value !== undefined && value !== 1), []);
  const many = microOps({ keyCount: 5000, maxTxnLength: 1, maxWritesPerKey: 16 }, 2000);
  for (const { key } of many) assert(key >= 4950 && key < 5100, `key ${key}`);
});

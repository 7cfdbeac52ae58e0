import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../random.ts";
import { ArrowIndex } from "./index.ts";
import { ARROW } from "./scene.ts";

/** Arrows at random; one in fifty is long. */
function randomArrows(count: number) {
  const source = seededRandom(1, "arrows");
  const random = () => source.next();
  const places = Float64Array.from({ length: 4 * count }, (_, i) => i * 0.5);
  const message = Int32Array.from({ length: count }, (_, i) => i);
  const fromRow = Int32Array.from(message, (i) => 2 * i + Math.floor(random() * 2));
  const toRow = Int32Array.from(
    fromRow,
    (row) => row + Math.floor(random() * (random() < 0.02 ? 1500 : 6)),
  );
  const fromLane = Int16Array.from(message, () => Math.floor(random() * 5));
  const toLane = Int16Array.from(message, () => Math.floor(random() * 5));
  const kind = Uint8Array.from(message, () => random() < 0.1 ? ARROW.dropped : ARROW.delivered);
  return { places, arrows: { count, message, fromRow, toRow, fromLane, toLane, kind } };
}

Deno.test("what is in view is found as by looking at all, arrows across it included", () => {
  const { arrows, places } = randomArrows(3000);
  const index = new ArrowIndex(arrows, places);
  const odd = Uint8Array.from(arrows.message, (i) => i % 2);
  for (const [from, to] of [[0, 10], [500, 501], [1499.5, 1600], [2990, 4000], [0, 9000]]) {
    if (from === undefined || to === undefined) continue;
    const all = [...arrows.message].filter((i) => index.from(i) <= to && index.to(i) >= from);
    assertEquals([...index.between(from, to)], all);
    assertEquals([...index.between(from, to, odd)], all.filter((i) => i % 2 === 1));
  }
});

Deno.test("bundles are few, and stand for all arrows", () => {
  const { arrows, places } = randomArrows(20_000);
  const index = new ArrowIndex(arrows, places);
  const list = index.between(0, 20_000);
  const { bundles, bands } = index.bundles(list, 0, 20_000, 200);
  assert(bundles.length <= 1500 && bands > 10, `${bundles.length} in ${bands} bands`);
  assertEquals(bundles.reduce((sum, { count }) => sum + count, 0), list.length);
  const lost = [...list].filter((i) => arrows.kind[i] === ARROW.dropped).length;
  assertEquals(bundles.filter((each) => each.isLoss).reduce((n, { count }) => n + count, 0), lost);
});

import { assertEquals } from "@std/assert";
import { DIGESTS_FILE, digestsOf, keptDigests, runs } from "./histories.ts";

Deno.test("the runs whose digests are kept are those that are done", () => {
  assertEquals([...runs.keys()], Object.keys(keptDigests()));
});

for (const [name, args] of runs) {
  Deno.test(`a run writes the same files as before: ${name}`, async () => {
    const hint = `If the run was meant to change, write ${DIGESTS_FILE} anew: ` +
      "deno task histories --write";
    assertEquals(await digestsOf(args), keptDigests()[name], hint);
  });
}

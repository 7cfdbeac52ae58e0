import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { playgroundPage } from "./playground.ts";
import { inTempDir, workbench } from "./testing.ts";

Deno.test("playground: writes one file, and says which", async () => {
  await inTempDir(async (dir) => {
    const { code, stdout } = await workbench(["playground", "-o", "lecture.html"], dir);
    assertEquals([code, stdout], [0, "Playground: lecture.html\n"]);
    const page = await Deno.readTextFile(join(dir, "lecture.html"));
    assertMatch(page, /^<!doctype html>/);
    for (const name of ["choices", "simulator", "code"]) {
      assertStringIncludes(page, `id="part-${name}"`);
    }
  });
});

Deno.test("playground: what cannot be written, and what is not known, is said in a sentence", async () => {
  const cases: readonly (readonly [args: string[], said: RegExp])[] = [
    [["-o", "no/such/folder.html"], /^Cannot write --output no\/such\/folder\.html: [^\/]+\n$/],
    [["lecture.html"], /^Unexpected argument "lecture\.html"\n$/],
    [["--outputs", "x"], /--output/],
  ];
  await inTempDir(async (dir) => {
    for (const [args, said] of cases) {
      const { code, stderr } = await workbench(["playground", ...args], dir);
      assertEquals(code, 254, args.join(" "));
      assertMatch(stderr, said);
    }
  });
});

Deno.test("playground: the page's policy allows its own code and worker, and nothing else", async () => {
  const page = await playgroundPage();
  const [, policy = ""] = /Content-Security-Policy" content="([^"]+)"/.exec(page) ?? [];
  const directives = policy.split("; ");
  assert(directives.includes("default-src 'none'"));
  assert(directives.includes("worker-src blob:"));
  assertEquals(directives.filter((each) => /unsafe|https?:|data:|\*/.test(each)), []);
});

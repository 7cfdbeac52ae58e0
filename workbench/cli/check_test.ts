import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { readStoredHistory } from "./check.ts";
import { inTempDir, workbenchInTurn } from "./testing.ts";

Deno.test("a file without an end is refused before it fills the memory", async () => {
  for (const [byte, why] of [[0, "no operation ends within 5000"], [32, "no operation"]] as const) {
    const endless = ReadableStream.from((async function* () {
      while (true) yield await Promise.resolve(new Uint8Array(1000).fill(byte));
    })());
    await assertRejects(() => readStoredHistory(endless, 5000), SyntaxError, why);
  }
  const bomb = new Blob([new Uint8Array(100_000)]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  await assertRejects(
    () => readStoredHistory(bomb, 50_000),
    SyntaxError,
    "Cannot parse the text: no operation ends within 50000 characters",
  );
});

/** An echo that was answered with something else. */
const history = [
  { process: 0, type: "invoke", f: "echo", value: "a", time: 0, index: 0 },
  { process: 0, type: "ok", f: "echo", value: { echo: "b" }, time: 1, index: 1 },
].map((op) => `${JSON.stringify(op)}\n`).join("");

Deno.test("check --html: a page never replaces the history, nor is a folder taken for one", async () => {
  await inTempDir(async (dir) => {
    const file = join(dir, "h.jsonl");
    await Deno.writeTextFile(file, history);
    await Deno.symlink("h.jsonl", join(dir, "link"));
    await Deno.mkdir(join(dir, "folder"));
    const refused: readonly (readonly [history: string, html: string, why: string])[] = [
      ["h.jsonl", "./h.jsonl", "it is the history"],
      ["h.jsonl", file, "it is the history"],
      ["h.jsonl", "link", "it is the history"],
      ["link", "h.jsonl", "it is the history"],
      ["h.jsonl", "folder", "it is a folder"],
    ];
    const lines = refused.map(([name, html]) => ["check", "-w", "echo", name, "--html", html]);
    const ran = await workbenchInTurn(lines, dir);
    assertEquals(
      ran,
      refused.map(([, html, why]) => {
        return { code: 254, stdout: "", stderr: `Cannot write --html ${html}: ${why}\n` };
      }),
    );
    assertEquals(await Deno.readTextFile(file), history);
  });
});

Deno.test("check --html: what cannot be written is said after the verdict", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "h.jsonl"), history);
    const full = Deno.build.os === "linux" ? ["/dev/full"] : [];
    const lines = ["no/such/page.html", ...full].flatMap((html) => {
      const args = ["check", "-w", "echo", "h.jsonl", "--html", html];
      return [args, [...args, "--json"]];
    });
    for (const [i, { code, stdout, stderr }] of (await workbenchInTurn(lines, dir)).entries()) {
      assertEquals(code, 255, "which no verdict has");
      assertMatch(stderr, /^Cannot write --html \S+: .+\n$/);
      if (i % 2 === 0) assertStringIncludes(stdout, "INVALID");
      else assertEquals(JSON.parse(stdout)["valid?"], false);
    }
  });
});

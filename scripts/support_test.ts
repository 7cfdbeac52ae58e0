import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path/join";
import { attempt, projectPath, ScriptError } from "./support.ts";

Deno.test("paths of the project are those of the disk, whatever is in the names of folders", async () => {
  const parent = await Deno.makeTempDir({ prefix: "eddy-support-" });
  try {
    const folder = join(await Deno.realPath(parent), "a b%20#ü?");
    await Deno.mkdir(join(folder, "scripts"), { recursive: true });
    // The function as it is, with nothing to import.
    const code = `const join = (...parts: string[]) => parts.join("");\n${projectPath}
console.log(projectPath("docs/c%20d#e.md"));`;
    await Deno.writeTextFile(join(folder, "scripts/support.ts"), code);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-config", join(folder, "scripts/support.ts")],
    }).output();
    assertEquals(new TextDecoder().decode(stdout), `${folder}/docs/c%20d#e.md\n`);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});

Deno.test("what the machine refuses is one sentence, with the action", async () => {
  const read = () => Deno.readTextFile(projectPath("docs"));
  await assertRejects(
    () => attempt("read docs", read),
    ScriptError,
    "Cannot read docs: Is a directory (os error 21)",
  );
  const refuse = () => {
    throw new ScriptError("Cannot read docs: it is a folder");
  };
  await assertRejects(() => attempt("go on", refuse), ScriptError, "Cannot read docs: it");
});

const INTERRUPTED = `import { say, withTempDir } from ${
  JSON.stringify(new URL("support.ts", import.meta.url))
};
const prefix = "eddy-support-";
await withTempDir({ prefix }, (outer) => withTempDir({ prefix }, async (inner) => {
  await withTempDir({ prefix }, () => Promise.resolve());
  await Deno.writeTextFile(outer + "/file", "");
  say(outer + " " + inner);
  setInterval(() => {}, 1000);
  await new Promise(() => {});
}));
`;

for (const [signal, code] of [["SIGINT", 130], ["SIGHUP", 129], ["SIGTERM", 143]] as const) {
  Deno.test(`${signal} removes temporary folders`, async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-all", "--config", projectPath("deno.json"), "-"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(INTERRUPTED));
    await writer.close();
    let said = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (said.endsWith("\n")) child.kill(signal);
    }
    assertEquals((await child.status).code, code);
    for (const folder of said.trim().split(" ")) {
      await assertRejects(() => Deno.stat(folder), Deno.errors.NotFound);
    }
  });
}

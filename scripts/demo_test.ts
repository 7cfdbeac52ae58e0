import { assertEquals } from "@std/assert";
import { projectPath } from "./support.ts";

Deno.test("the demo plays both conversations, the slow request answered last", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-run", "--allow-read", projectPath("scripts/demo.ts")],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  assertEquals([code, decoder.decode(stderr)], [0, ""]);
  const lines = decoder.decode(stdout).split("\n")
    .map((line) => /^ *\d+ ms {2}(->|<-) (\{.*\})$/.exec(line))
    .filter((match) => match !== null)
    .map(([, arrow, json = ""]) => {
      const { src, dest, body } = JSON.parse(json);
      return `${arrow === "->" ? src : dest} ${arrow} ${body.type}`;
    });
  const sample = ["c0 -> init", "c0 <- init_ok"];
  for (const client of ["c1", "c2", "c3"]) sample.push(`${client} -> echo`, `${client} <- echo_ok`);
  assertEquals(lines.slice(0, 8), sample);
  assertEquals(lines.slice(8), [
    "c0 -> init",
    "c0 <- init_ok",
    "c1 -> ask",
    "n2 <- question",
    "c2 -> echo",
    "c2 <- echo_ok",
    "c3 -> echo",
    "c3 <- echo_ok",
    "n2 -> question_ok",
    "c1 <- ask_ok",
  ]);
});

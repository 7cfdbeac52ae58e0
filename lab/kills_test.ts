import { assert, assertEquals, assertMatch } from "@std/assert";
import { delay } from "@std/async/delay";
import type { Op } from "@eddy/workbench";
import { projectPath } from "../scripts/support.ts";
import { countKills } from "./kills.ts";

Deno.test("a kill counts what its node had in hand", () => {
  const op = (seconds: number, rest: Partial<Op>): Op => {
    return {
      index: 0,
      time: seconds * 1e9,
      type: "invoke",
      process: 0,
      f: "add",
      value: 1,
      ...rest,
    };
  };
  const history = [
    op(0, { process: 0, node: "n0" }),
    op(0.1, { process: 0, node: "n0", type: "ok" }),
    op(0.2, { process: 1, node: "n0" }),
    op(0.2, { process: 2, node: "n1" }),
    op(0.95, { process: 1, node: "n0", type: "ok" }),
    op(0.96, { process: 1, node: "n0" }),
    op(1, { process: "nemesis", f: "start-kill", type: "info", value: "one" }),
    op(1, { process: "nemesis", f: "start-kill", type: "info", value: { n0: "killed" } }),
    op(6, { process: 1, node: "n0", type: "info" }),
    op(6, { process: 2, node: "n1", type: "ok" }),
  ];
  assertEquals(countKills(history), { killed: 1, inFlight: 1, acknowledged: 1 });
});

Deno.test("a signal ends the run and what it came to is kept, but no data of its nodes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "eddy-test-" });
  try {
    const [temporary, store] = [`${folder}/tmp`, `${folder}/store`];
    await Deno.mkdir(temporary);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--config=lab/deno.json", "lab/kills.ts", "--store", store],
      cwd: projectPath("."),
      env: { TMPDIR: temporary },
      stdout: "piped",
      stderr: "null",
      signal: AbortSignal.timeout(60_000),
    }).spawn();
    const hasData = () =>
      [...Deno.readDirSync(temporary)].some(({ name }) => {
        const info = Deno.statSync(`${temporary}/${name}`);
        return info.isDirectory && [...Deno.readDirSync(`${temporary}/${name}`)].length > 0;
      });
    let isOver = false;
    void child.status.then(() => isOver = true);
    while (!isOver && !hasData()) await delay(10);
    await delay(500);
    child.kill("SIGHUP");
    const { code, stdout } = await child.output();
    const said = new TextDecoder().decode(stdout);
    assertEquals(code, 255, said);
    const kept = /^lin-kv, seed 0: The run was interrupted by SIGHUP\n {2}Results in (.*)$/m;
    assertMatch(said, kept);
    const [, path = ""] = kept.exec(said) ?? [];
    assert(Deno.statSync(`${path}/results.json`).isFile);
    assert(Deno.statSync(`${path}/history.jsonl`).isFile);
    assertEquals([...Deno.readDirSync(temporary)], []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const lin = {
  eddy: ["main.ts", "lin-kv", "--run", "1", "--data"],
  late: ["--config=lab/deno.json", "--allow-env=EDDY_RUN", "lab/kills/late_node.ts", "lin-kv"],
};

/** How many of ten writes a node answers with no sync since the answer before. */
async function answersBeforeSync(node: readonly string[]): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "eddy-test-" });
  try {
    const [log, data] = [`${folder}/strace.log`, `${folder}/data`];
    const permissions = [`--allow-read=${data}`, `--allow-write=${data}`];
    const process = new Deno.Command("strace", {
      args: ["-f", "-qq", "-s", "200", "-o", log, "-e", "trace=write,fsync,fdatasync"]
        .concat(Deno.execPath(), "run", "--quiet", "--no-prompt", permissions, node, data),
      cwd: projectPath("."),
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = process.stdin.getWriter();
    const reader = process.stdout.getReader();
    const ask = async (src: string, body: object) => {
      const line = JSON.stringify({ src, dest: "n1", body });
      await writer.write(new TextEncoder().encode(`${line}\n`));
      await reader.read();
    };
    await ask("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1"] });
    for (let id = 2; id < 12; id++) {
      await ask("c1", { type: "write", msg_id: id, key: 1, value: id });
    }
    await writer.close();
    await reader.cancel();
    await process.status;
    let [early, isSynced] = [0, false];
    for (const line of (await Deno.readTextFile(log)).split("\n")) {
      if (/\bf(data)?sync\b.*= 0$/.test(line)) isSynced = true;
      else if (line.includes("write_ok")) {
        if (!isSynced) early++;
        isSynced = false;
      }
    }
    return early;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Whether system calls can be traced here. */
async function canTrace(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("strace", { args: ["true"], stderr: "null" })
      .output();
    return success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "no answer precedes its sync, as strace sees it",
  ignore: !await canTrace(), // It needs strace, and ptrace allowed.
  async fn() {
    assertEquals(await answersBeforeSync(lin.eddy), 0);
    assertEquals(await answersBeforeSync(lin.late) > 5, true, "a node that syncs late is found");
  },
});

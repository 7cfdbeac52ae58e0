import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { inTempDir, workbench } from "./cli/testing.ts";
import { storeHandler } from "./serve.ts";

const HOST = "127.0.0.1:8080";

/** A handler for the store of a folder, and a way to ask it as a browser would. */
function served(store: string) {
  const handler = storeHandler(store, (host) => host === HOST);
  return async (path: string, init: RequestInit & { host?: string } = {}) => {
    const { host = HOST, ...others } = init;
    const headers = new Headers({ host });
    const response = await handler(new Request(`http://${HOST}${path}`, { ...others, headers }));
    return { response, text: await response.text() };
  };
}

Deno.test("a store is listed, with what each run came to, and its files are served", async () => {
  await inTempDir(async (dir) => {
    const short = ["--node-count", "2", "--time-limit", "1", "--rate", "20", "--seed", "4"];
    await workbench(["test", "-w", "echo", ...short], dir);
    await Deno.mkdir(join(dir, "store/echo/2020-cut-short"));
    await Deno.writeTextFile(join(dir, "store/echo/2020-cut-short/results.json"), "{");
    const progress = { stage: "main", elapsedMs: 5, plannedMs: 10, counts: { invocations: 3 } };
    await Deno.mkdir(join(dir, "store/echo/2021-under-way"));
    await Deno.writeTextFile(
      join(dir, "store/echo/2021-under-way/progress.json"),
      JSON.stringify({ ...progress, writtenAt: new Date().toISOString() }),
    );
    await Deno.mkdir(join(dir, "store/echo/2019-killed"));
    await Deno.writeTextFile(
      join(dir, "store/echo/2019-killed/progress.json"),
      JSON.stringify({ ...progress, writtenAt: "2019-01-01T00:00:00Z" }),
    );
    const get = served(join(dir, "store"));
    const runs = JSON.parse((await get("/runs.json")).text);
    assertEquals(runs.length, 4);
    const [run, underWay, cut, killed] = runs;
    assertEquals([run.workload, run.hasReport], ["echo", true]);
    assertEquals([run.figures.valid, run.figures.seed, run.figures.nodes], [true, 4, 2]);
    assertEquals([underWay.figures, underWay.progress.stage], [undefined, "main"]);
    assertEquals([underWay.isBrokenOff, killed.isBrokenOff], [false, true]);
    assertEquals([killed.figures, killed.progress.stage], [undefined, "main"]);
    assertEquals([cut.figures, cut.progress, cut.hasReport], [undefined, undefined, false]);

    const page = await get(`/runs/echo/${run.name}/report.html`);
    assertMatch(page.response.headers.get("content-type") ?? "", /^text\/html/);
    assertMatch(page.text, /^<!doctype html>/);
    const history = await get("/runs/latest/history.jsonl");
    assertMatch(history.response.headers.get("content-type") ?? "", /^text\/plain/);
    assertMatch(history.text, /^\{"index":0,/);
    const list = await get("/runs/latest/");
    assertStringIncludes(list.text, '<a href="./plan.json">plan.json</a>');
    assertStringIncludes(list.response.headers.get("content-security-policy") ?? "", "sandbox");
    assertEquals((await get("/runs/latest")).response.headers.get("location"), "/runs/latest/");
    assertMatch((await get("/")).text, /connect-src 'self'/);
  });
});

Deno.test({
  name: "what is no regular file is not read for the list",
  ignore: Deno.build.os === "windows",
  async fn() {
    await inTempDir(async (dir) => {
      const run = join(dir, "store/echo/2022-pipe");
      const progress = { stage: "main", elapsedMs: 5, plannedMs: 10, counts: { invocations: 3 } };
      const text = JSON.stringify({ ...progress, writtenAt: "2022-01-01T00:00:00Z" });
      await Deno.mkdir(run, { recursive: true });
      for (const name of ["results.json", "progress.json"]) {
        await new Deno.Command("mkfifo", { args: [join(run, name)] }).output();
      }
      // Whoever reads the pipes gets something, so that this fails instead of waiting for ever.
      const script = 'echo {} > results.json; echo "$TEXT" > progress.json';
      const writer = new Deno.Command("sh", { args: ["-c", script], cwd: run, env: { TEXT: text } })
        .spawn();
      const { text: answer } = await served(join(dir, "store"))("/runs.json");
      writer.kill("SIGKILL");
      await writer.status;
      assertEquals(JSON.parse(answer), [
        { workload: "echo", name: "2022-pipe", hasReport: false },
      ]);
    });
  },
});

Deno.test("what is not in the store is not served, and foreign hosts and methods are refused", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "secret"), "secret");
    await Deno.mkdir(join(dir, "store/echo/run"), { recursive: true });
    await Deno.symlink(join(dir, "secret"), join(dir, "store/echo/run/link"));
    await Deno.writeTextFile(join(dir, "store/echo/run/<script>.html"), "<script>1</script>");
    const get = served(join(dir, "store"));
    for (
      const path of [
        "/runs/..%2fsecret",
        "/runs/%2e%2e/secret",
        "/runs/echo/run/link",
        "/runs/echo%00",
        "/runs/%ff",
        "/runs//etc/passwd",
        "/runs/echo/..%5c..%5csecret",
        "/runs/",
        "/secret",
      ]
    ) {
      const { response, text } = await get(path);
      assertEquals(response.status, 404, path);
      assert(!text.startsWith("secret"), path);
    }
    assertEquals((await get("/", { host: "evil.example:8080" })).response.status, 403);
    assertEquals((await get("/", { method: "POST" })).response.status, 405);
    const foreign = await get("/runs/echo/run/%3Cscript%3E.html");
    assertMatch(foreign.response.headers.get("content-type") ?? "", /^text\/plain/);
    const list = await get("/runs/echo/run/");
    assertStringIncludes(list.text, '<a href="./%3Cscript%3E.html">&lt;script&gt;.html</a>');
  });
});

Deno.test("serve: flags and folders that cannot be are refused", async () => {
  await inTempDir(async (dir) => {
    const missing = await workbench(["serve"], dir);
    assertEquals([missing.code, missing.stderr], [
      254,
      "Cannot serve store: there is no such folder\n",
    ]);
    const port = await workbench(["serve", "--port", "99999", "."], dir);
    assertEquals(port.code, 254);
    assertStringIncludes(port.stderr, "--port");
  });
});

/**
 * Sweeps over NATS, with workers as processes, beside the same on one machine.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { inTempDir } from "@eddy/workbench/cli/testing.ts";
import { join } from "@std/path/join";
import { connectTo } from "./connect.ts";
import { FleetStore, pack, SWEEP_SUBJECT, WORKER_SUBJECT } from "./fleet.ts";
import { EddyCommand, storedRuns, sweepLines } from "./fleet_testing.ts";
import { hasServer, NatsServer } from "./testing.ts";

const node = `
import { createInterface } from "node:readline";
import process from "node:process";
let count = 0;
createInterface({ input: process.stdin }).on("line", (line) => {
  const { src, dest, body } = JSON.parse(line);
  if (++count > 1) throw new Error("too many lines");
  const reply = { ...body, type: body.type + "_ok", in_reply_to: body.msg_id };
  console.log(JSON.stringify({ src: dest, dest: src, body: reply }));
});
`;

/** A program in WebAssembly that ends at once. */
const wasm = Uint8Array.fromHex(
  "0061736d01000000010401600000030201000503010001071302066d656d6f72790200065f73746172740000" +
    "0a040102000b",
);

Deno.test({
  name: "sweep --nats: the lines, the results and the exit codes are those of one machine",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    await using worker = new EddyCommand(server, ["worker", "--jobs", "2"]);
    await inTempDir(async (folder) => {
      await Deno.writeTextFile(join(folder, "node.ts"), node);
      await Deno.writeFile(join(folder, "node.wasm"), wasm);
      const short = ["--time-limit", "1", "--json"];
      const sweeps = [
        ["-w", "echo", "--vary", "bin=./node.ts,./node.wasm", "--seeds", "2", ...short],
        [
          "-w",
          "echo",
          "--node-count",
          "2",
          "--seeds",
          "34",
          "--nemesis",
          "swarm",
          "--steer",
          ...short,
        ],
        ["-w", "echo", "--seeds", "2", "--vary", "latency=0,9", "--twice", ...short],
      ];
      for (const [i, args] of sweeps.entries()) {
        await using sweep = new EddyCommand(server, ["sweep", ...args], folder);
        const over = await sweep.ended();
        const plain = await new EddyCommand(undefined, ["sweep", ...args], folder).ended();
        assertEquals(over.code, plain.code);
        assertEquals(over.code, i === 0 ? 1 : 0);
        assertEquals(sweepLines(over.stdout), sweepLines(plain.stdout));
        if (i > 0) continue;
        assertEquals(storedRuns(folder, over.stdout), [true, true, true, true]);
        assertMatch(over.stdout, /^\{"small":/m);
      }
    });
    worker.kill("SIGTERM");
    const { code, stderr } = await worker.ended();
    assertEquals(code, 0);
    assertMatch(stderr, /^Worker of version \S+ \(\S+, Deno \S+\), runs at once: 2; /);
    // Nothing of finished sweeps is left on the server but their programs.
    const connection = await connectTo({ nats: server.url }, "test");
    const store = await FleetStore.open(connection, new AbortController().signal);
    assertEquals(await store.finished("*"), new Set());
    assertEquals(await store.waiting("*", "*"), new Set());
    await connection.close();
  },
});

Deno.test({
  name: "sweep --nats: kill -9 of a worker and of the server loses and doubles nothing",
  ignore: !hasServer,
  async fn() {
    const kept = await Deno.makeTempDir({ prefix: "eddy-nats-kept-" });
    const args = ["sweep", "-w", "g-set", "--time-limit", "10", "--seeds", "64", "--json"];
    try {
      let server = await NatsServer.start({ folder: kept });
      const { port } = server;
      const connection = await connectTo({ nats: server.url }, "test");
      const store = await FleetStore.open(connection, new AbortController().signal);
      const finished = async (count: number) => {
        while ((await store.finished("*")).size < count) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      const worker = () => new EddyCommand(server, ["worker", "--jobs", "1"]);
      try {
        await using first = worker();
        await using second = worker();
        await using sweep = new EddyCommand(server, args);
        await finished(4);
        first.kill("SIGKILL");
        await first.ended();
        await using _third = worker();
        await finished(12);
        await server.stop("SIGKILL");
        server = await NatsServer.start({ folder: kept, port });
        const over = await sweep.ended();
        const plain = await new EddyCommand(undefined, args, kept).ended();
        // That the server was away, and nothing else.
        const said = over.stderr.split("\n").filter((line) => !/ the NATS server/.test(line));
        assertEquals([over.code, said], [0, [""]]);
        assertEquals(plain.code, 0);
        assertEquals(sweepLines(over.stdout), sweepLines(plain.stdout));
        second.kill("SIGTERM");
        assertEquals((await second.ended()).code, 0);
      } finally {
        await connection.close();
        await server.stop();
      }
    } finally {
      await Deno.remove(kept, { recursive: true });
    }
  },
});

Deno.test({
  name: "sweep --nats: says where no worker does its runs, and goes on after Ctrl-C",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const connection = await connectTo({ nats: server.url }, "test");
    const store = await FleetStore.open(connection, new AbortController().signal);
    const args = ["sweep", "-w", "echo", "--time-limit", "1", "--seeds", "8", "--json"];
    const named = Promise.withResolvers<string>();
    connection.subscribe(SWEEP_SUBJECT, {
      callback: (_, message) => named.resolve(message.json<{ sweep: string }>().sweep),
    });
    {
      await using sweep = new EddyCommand(server, args);
      await sweep.says(/No worker is there: eddy worker --nats URL starts one/);
      const other = { worker: "w1", version: "9.9.9 (\u001b[31mother)", jobs: 2 };
      const timer = setInterval(
        () => connection.publish(WORKER_SUBJECT, JSON.stringify(other)),
        500,
      );
      await sweep.says(/1 worker of another version \(9\.9\.9 \(\\u001b\[31mother\)\) will not do/);
      clearInterval(timer);
      sweep.kill("SIGINT");
      const { code, stdout, stderr } = await sweep.ended();
      assertEquals([code, stdout], [255, ""]);
      assertStringIncludes(stderr, "is kept on the NATS server for 7 days, and the same command");
      assertStringIncludes(stderr, "The sweep was interrupted by SIGINT: 0 of 8 runs were done");
    }
    {
      // A part that failed on a worker ends the sweep with its reason.
      await using sweep = new EddyCommand(server, args);
      const waiting = async () => {
        for (;;) {
          const [name] = await store.waiting("*", "*");
          if (name !== undefined) return name;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      const failed = { sweep: await named.promise, name: await waiting(), runs: [] };
      await store.putResult(failed, pack({ error: "it \u001b[2J died" }));
      const { code, stderr } = await sweep.ended();
      assertEquals(code, 255);
      assertStringIncludes(stderr, "Cannot do the runs of seeds ");
      assertStringIncludes(stderr, ": it \\u001b[2J died");
      assertEquals(await store.waiting("*", "*"), new Set());
    }
    {
      await using worker = new EddyCommand(server, ["worker"]);
      await using sweep = new EddyCommand(server, args);
      const { code, stdout } = await sweep.ended();
      assertEquals([code, sweepLines(stdout).length], [0, 8]);
      // A sweep of another version is refused by name.
      const version = "0.0.1 (other)";
      connection.publish(SWEEP_SUBJECT, JSON.stringify({ sweep: "s", version }));
      await worker.says(
        /Cannot do runs of a sweep of version 0\.0\.1 \(other\): this worker is of/,
      );
      assert(!worker.stderr.includes("undefined"));
    }
    await connection.close();
  },
});

Deno.test({
  name: "sweep --nats: what cannot be sent is refused, and a server that is not there",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    await using none = await NatsServer.start();
    await none.stop();
    const refused: [server: NatsServer, args: string[], code: number, why: string][] = [
      [server, ["sweep", "--shard", "1/2"], 254, "Cannot use --shard over NATS: "],
      [server, ["sweep", "-w", "echo", "--bin", "/bin/cat"], 254, "Cannot run /bin/cat over NATS"],
      [none, ["sweep", "-w", "echo"], 255, `Cannot connect to the NATS server ${none.url}: `],
      [none, ["worker"], 255, `Cannot connect to the NATS server ${none.url}: `],
      [server, ["worker", "word"], 254, 'Unexpected argument "word"'],
    ];
    for (const [where, args, code, why] of refused) {
      await using command = new EddyCommand(where, args);
      const ran = await command.ended();
      assertEquals([ran.code, ran.stdout], [code, ""]);
      assertStringIncludes(ran.stderr, why);
    }
  },
});

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { crc32 } from "node-zlib";
import { openDisk } from "./disk.ts";
import { UsageError } from "./flags.ts";
import type { Json } from "./json.ts";
import { MemoryStorage, type Storage, StorageError, type StoredLog } from "./storage.ts";
import { withProgram } from "./testing.ts";

/** Calls `use` with an empty directory. */
async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "eddy-test-" });
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Opens the data of `n1` in run 1, calls `use` and closes it. */
async function withDisk<T>(
  directory: string,
  use: (storage: Storage) => T,
  { run = "1", program = "", reset = false, nodeId = "n1" } = {},
): Promise<T> {
  const storage = await openDisk(directory, { run, program, reset })(nodeId);
  try {
    return use(storage);
  } finally {
    storage.close();
  }
}

function logContent(log: StoredLog) {
  return { base: log.base, last: log.last, entries: log.entries(), snapshot: log.snapshot() };
}

/** What opening it is refused with, in one line, with exit code 3. */
async function refusal(directory: string, options = {}): Promise<string> {
  const error = await assertRejects(() => withDisk(directory, () => {}, options), StorageError);
  assertEquals([error.exitCode, error.message.includes("\n")], [3, false], error.message);
  return error.message.replaceAll(directory, "DIR");
}

Deno.test("what was synced is there after the next start, and what was not is gone", async () => {
  await withDirectory(async (directory) => {
    await withDisk(directory, (storage) => {
      assertEquals([storage.isDurable, storage.isDirty], [true, false]);
      storage.set("value", { list: [1, null, "\0\ud800"] });
      storage.set("\ud800", 1);
      storage.set("gone", 1);
      storage.set("gone", undefined);
      const log = storage.log("log");
      log.append(["a", "b", "c", "d"]);
      log.truncate(4);
      log.replace(1, ["piece 1", "piece 2"]);
      assertEquals(storage.isDirty, true);
      assertEquals(logContent(log).entries, ["b", "c"], "before the sync");
      storage.sync();
      assertEquals(storage.isDirty, false);
      storage.set("value", "unsynced");
      log.append(["unsynced"]);
    });
    await withDisk(directory, (storage) => {
      const texts = ["value", "\ud800", "\ud801", "gone"].map((key) => storage.get(key));
      assertEquals(texts, [{ list: [1, null, "\0\ud800"] }, 1, undefined, undefined]);
      assertEquals(logContent(storage.log("log")), {
        base: 1,
        last: 3,
        entries: ["b", "c"],
        snapshot: ["piece 1", "piece 2"],
      });
    });
  });
});

/** A write, a sync and, of the disk, a new start. */
type Step =
  | { f: "set"; key: string; value: Json | undefined }
  | { f: "append"; log: string; entries: Json[] }
  | { f: "truncate"; log: string; from: number }
  | { f: "replace"; log: string; base: number; snapshot: Json[]; dropRest: boolean }
  | { f: "reopen" };

const steps = fc.array(
  fc.oneof(
    fc.record({
      f: fc.constant("set" as const),
      key: fc.constantFrom("a", "b"),
      value: fc.option(fc.jsonValue() as fc.Arbitrary<Json>, { nil: undefined }),
    }),
    fc.record({
      f: fc.constant("append" as const),
      log: fc.constantFrom("x", "y"),
      entries: fc.array(fc.nat() as fc.Arbitrary<Json>, { maxLength: 4 }),
    }),
    fc.record({
      f: fc.constant("truncate" as const),
      log: fc.constantFrom("x", "y"),
      from: fc.nat(12),
    }),
    fc.record({
      f: fc.constant("replace" as const),
      log: fc.constantFrom("x", "y"),
      base: fc.nat(12),
      snapshot: fc.array(fc.nat() as fc.Arbitrary<Json>, { maxLength: 3 }),
      dropRest: fc.boolean(),
    }),
    fc.constant({ f: "reopen" as const }),
  ),
  { minLength: 1, maxLength: 12 },
);

function apply(storage: Storage, step: Step): void {
  if (step.f === "set") storage.set(step.key, step.value);
  else if (step.f === "append") storage.log(step.log).append(step.entries);
  else if (step.f === "truncate") storage.log(step.log).truncate(step.from);
  else if (step.f === "replace") {
    storage.log(step.log).replace(step.base, step.snapshot, { dropRest: step.dropRest });
  }
}

function content(storage: Storage) {
  const values = ["a", "b"].map((key) => storage.get(key));
  return [values, ["x", "y"].map((name) => logContent(storage.log(name)))];
}

Deno.test("property: a disk that is opened again and again has what a memory has", async () => {
  await withDirectory(async (directory) => {
    let nodes = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const open = openDisk(directory, { run: "1" });
        const nodeId = `n${nodes++}`;
        const memory = new MemoryStorage();
        let disk = await open(nodeId);
        for (const step of list) {
          apply(memory, step);
          apply(disk, step);
          if (step.f !== "reopen") continue;
          disk.sync();
          disk.close();
          disk = await open(nodeId);
        }
        const both = [content(disk), content(memory)];
        disk.close();
        assertEquals(both[0], both[1]);
      }),
      { numRuns: 15, endOnFailure: true },
    );
  });
});

/** A program that does what it is told by lines, and answers with one each. */
const program = `\
import { openDisk } from "@eddy/maelstrom/disk";
import { TextLineStream } from "@std/streams/text-line-stream";
const storage = await openDisk(Deno.args[0] ?? "", { run: "1" })("n1");
console.log("open");
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const line of lines.pipeThrough(new TextLineStream())) {
  for (const word of line.split(" ")) {
    if (word === "sync") storage.sync();
    else if (word === "end") throw new Error("end");
    else {
      storage.set("last", word);
      storage.log("log").append([word]);
    }
  }
  console.log(line);
}
`;

/** Lets a process write what each line says, kills it, and calls `use` with what is left. */
async function afterKill(
  lines: readonly string[],
  use: (directory: string) => Promise<void>,
): Promise<void> {
  await withDirectory((directory) =>
    withProgram(program, async (file) => {
      const permissions = [`--allow-read=${directory}`, `--allow-write=${directory}`];
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-prompt", "--no-check", ...permissions, file, directory],
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      const answers = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      await answers.read();
      for (const line of lines) {
        await writer.write(new TextEncoder().encode(`${line}\n`));
        await answers.read();
      }
      child.kill("SIGKILL");
      await child.status;
      await writer.abort().catch(() => {});
      await answers.cancel();
      await use(directory);
    })
  );
}

Deno.test("a process that is killed loses what it had not synced, and nothing else", async () => {
  await afterKill(["a b sync", "c d sync e f", "g"], async (directory) => {
    for (let start = 0; start < 2; start++) {
      const [last, entries] = await withDisk(
        directory,
        (storage) => [storage.get("last"), storage.log("log").entries()],
      );
      assertEquals([last, entries], ["d", ["a", "b", "c", "d"]]);
    }
  });
});

Deno.test("one process at a time has the data of a node", async () => {
  await withDirectory(async (directory) => {
    await withDisk(directory, async () => {}); // Which closes it.
    const storage = await openDisk(directory, { run: "1" })("n1");
    const message = "Cannot use DIR/n1: it is in use by another process";
    assertEquals(await refusal(directory), message);
    assertEquals(await refusal(directory, { run: "2", reset: true }), message);
    await withDisk(directory, () => {}, { nodeId: "n2" });
    storage.close();
    storage.close();
    await withDisk(directory, () => {});
  });
});

Deno.test("data of another run is refused, or removed if that is asked for", async () => {
  await withDirectory(async (directory) => {
    const write = (storage: Storage) => {
      storage.set("value", 1);
      storage.sync();
    };
    const read = (storage: Storage) => storage.get("value");
    await withDisk(directory, write);
    assertEquals(await withDisk(directory, read, { reset: true }), 1, "its own is kept");
    assertEquals(
      await refusal(directory, { run: "2" }),
      'Cannot use DIR/n1: it is the data of run "1", and this is run "2": openDisk with reset: ' +
        "true removes it, or Eddy's node with --data-reset",
    );
    assertEquals(
      await refusal(directory, { program: "kafka" }),
      'Cannot use DIR/n1: it is the data of a program without a name, and this is "kafka": ' +
        "openDisk with reset: true removes it, or Eddy's node with --data-reset",
    );
    assertEquals(await withDisk(directory, read), 1);
    assertEquals(await withDisk(directory, read, { run: "2", reset: true }), undefined);
    assertStringIncludes(await refusal(directory), 'it is the data of run "2"');
  });
});

/** What may happen to the files of a node that was closed, and what is said of it. */
const damages: [what: string, damage: (directory: string) => void, says: string][] = [
  ["no folder", (dir) => Deno.removeSync(`${dir}/n1`, { recursive: true }), 'data of "n1" is gone'],
  ["no database", (dir) => Deno.removeSync(`${dir}/n1/data.sqlite`), 'data of "n1" is gone'],
  ["an empty database", (dir) => cut(`${dir}/n1/data.sqlite`, 0), 'data of "n1" is gone'],
  ["half a database", (dir) => cut(`${dir}/n1/data.sqlite`, 5000), "DIR/n1/data.sqlite"],
  ["part of a page", (dir) => cut(`${dir}/n1/data.sqlite`, 100), "DIR/n1/data.sqlite"],
  ["no whose", (dir) => Deno.removeSync(`${dir}/n1.run`), ": remove DIR/n1 to begin anew"],
  [
    "an empty whose",
    (dir) => cut(`${dir}/n1.run`, 0),
    "Cannot use DIR/n1.run: it is damaged: remove DIR/n1.run and DIR/n1 to begin anew",
  ],
  ["an empty whose alone", (dir) => {
    cut(`${dir}/n1.run`, 0);
    Deno.removeSync(`${dir}/n1`, { recursive: true });
  }, "Cannot use DIR/n1.run: it is damaged: remove DIR/n1.run to begin anew"],
  ["a flipped whose", (dir) => flip(`${dir}/n1.run`, 30), "Cannot use DIR/n1.run: it is damaged"],
  ["garbage", (dir) => {
    Deno.writeFileSync(`${dir}/n1/data.sqlite`, new Uint8Array(8192).fill(77));
  }, "Cannot use DIR/n1/data.sqlite: file is not a database"],
  ["garbage for a log", (dir) => {
    Deno.writeFileSync(`${dir}/n1/data.sqlite-wal`, new Uint8Array(8192).fill(77));
  }, "Cannot use DIR/n1/data.sqlite-wal: its header is damaged"],
  ["another's database", (dir) => {
    Deno.copyFileSync(`${dir}/n2/data.sqlite`, `${dir}/n1/data.sqlite`);
  }, "it is another run's, or another node's"],
  ["another's folder", (dir) => {
    Deno.copyFileSync(`${dir}/n2.run`, `${dir}/n1.run`);
  }, 'Cannot use DIR/n1: it is the data of a node "n2"'],
  ["a newer database", (dir) => {
    // The user version is four bytes of the header.
    change(`${dir}/n1/data.sqlite`, (bytes) => bytes[63] = 2);
  }, "its format is version 2, and this program reads version 1"],
  ["another program's database", (dir) => {
    change(`${dir}/n1/data.sqlite`, (bytes) => bytes[70] = 2);
  }, "it is no node's data"],
];

function change(file: string, change: (bytes: Uint8Array) => void): void {
  const bytes = Deno.readFileSync(file);
  change(bytes);
  Deno.writeFileSync(file, bytes);
}

function flip(file: string, at: number): void {
  change(file, (bytes) => bytes[at] = (bytes[at] ?? 0) ^ 4);
}

function cut(file: string, bytes: number): void {
  Deno.truncateSync(file, bytes);
}

function fill(storage: Storage): void {
  storage.log("log").append(Array.from({ length: 200 }, (_, i) => `entry ${i}`));
  storage.set("key", "some value");
  storage.log("log").replace(20, ["some snapshot"]);
  storage.sync();
}

Deno.test("what is damaged, gone or another's is refused by its name, again and again", async () => {
  for (const [what, damage, says] of damages) {
    await withDirectory(async (directory) => {
      await withDisk(directory, fill);
      await withDisk(directory, fill, { nodeId: "n2" });
      damage(directory);
      for (let start = 0; start < 2; start++) {
        assertStringIncludes(await refusal(directory, { reset: start === 1 }), says, what);
      }
    });
  }
});

Deno.test("no flipped byte of a database changes what is read without a refusal", async () => {
  await withDirectory(async (directory) => {
    const read = (storage: Storage) => [storage.get("key"), logContent(storage.log("log"))];
    await withDisk(directory, fill);
    const before = await withDisk(directory, read);
    const file = `${directory}/n1/data.sqlite`;
    const marker = Deno.readFileSync(`${directory}/n1.run`);
    const whole = Deno.readFileSync(file);
    let refusals = 0;
    const STEP = 509; // A prime, so that all parts of pages are met.
    for (let at = 0; at < whole.length; at += STEP) {
      Deno.writeFileSync(`${directory}/n1.run`, marker);
      Deno.writeFileSync(file, whole);
      flip(file, at);
      try {
        assertEquals(await withDisk(directory, read), before, `byte ${at}`);
      } catch (error) {
        assert(error instanceof StorageError && error.exitCode === 3, `byte ${at}: ${error}`);
        assertStringIncludes(error.message, file);
        refusals++;
      }
    }
    assert(refusals > 5, `only ${refusals} refusals`);
  });
});

Deno.test("a log of SQLite that is damaged before its last writes is refused", async () => {
  await afterKill(["a sync", "b sync", "c sync", "d"], async (directory) => {
    const wal = `${directory}/n1/data.sqlite-wal`;
    const whole = Deno.readFileSync(wal);
    const marker = Deno.readFileSync(`${directory}/n1.run`);
    for (const at of [3, 20, 40, 60, 5000]) {
      flip(wal, at);
      assertStringIncludes(await refusal(directory), "DIR/n1/data.sqlite-wal: its", `byte ${at}`);
      Deno.writeFileSync(wal, whole);
      assertEquals(Deno.readFileSync(`${directory}/n1.run`), marker);
    }
    cut(wal, 0);
    assertStringIncludes(await refusal(directory), "data.sqlite-wal: it is cut off");
    Deno.removeSync(wal);
    assertStringIncludes(await refusal(directory), "data.sqlite-wal: it is gone");
    // The last transaction may be torn: it was not durable then.
    Deno.writeFileSync(wal, whole.slice(0, -10));
    assertEquals(await withDisk(directory, (storage) => storage.log("log").entries()), ["a", "b"]);
  });
});

Deno.test("a first start that was interrupted is begun again", async () => {
  await withDirectory(async (directory) => {
    const json = JSON.stringify({
      format: 1,
      node: "n1",
      run: "1",
      program: "",
      opens: 0,
      state: "new",
    });
    Deno.writeTextFileSync(`${directory}/n1.run`, `${json}\n${crc32(json)}\n`);
    Deno.writeTextFileSync(`${directory}/n1.run.tmp`, "half of a");
    await withDisk(directory, () => {}); // The folder had not been made.
    Deno.writeTextFileSync(`${directory}/n1.run`, `${json}\n${crc32(json)}\n`);
    cut(`${directory}/n1/data.sqlite`, 5000);
    await withDisk(directory, fill);
    await withDisk(directory, (storage) => assertEquals(storage.get("key"), "some value"));
  });
});

/** A node that counts; each addition takes some room, too. */
const counter = `\
import { Node, serve } from "@eddy/maelstrom";
import { openDisk } from "@eddy/maelstrom/disk";
const node = new Node({ storage: openDisk(Deno.args[0] ?? "", { run: Deno.args[1] }) });
node.on("add", ({ body: { delta } }) => {
  const total = Number(node.storage.get("total") ?? 0) + Number(delta);
  node.storage.set("total", total);
  node.storage.log("deltas").append([String(delta).padEnd(10_000)]);
  return { total };
});
await serve(node);
`;

/** Requests that each add 1, after init. */
function additions(count: number): string {
  const init = { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1"] };
  const adds = Array.from({ length: count }, (_, i) => ({ type: "add", msg_id: i + 2, delta: 1 }));
  return [init, ...adds]
    .map((body) => `${JSON.stringify({ src: "c1", dest: "n1", body })}\n`).join("");
}

/** Runs a program to its end in a shell that has set itself up. */
async function runIn(setup: string, file: string, directory: string, input: string) {
  const deno = `'${Deno.execPath()}' run --quiet --no-prompt --no-check`;
  const permissions = `--allow-read='${directory}' --allow-write='${directory}'`;
  const command = `${setup} exec ${deno} ${permissions} '${file}' '${directory}' 1`;
  const child = new Deno.Command("sh", {
    args: ["-c", command],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  const totals = (out ?? "").trimEnd().split("\n").map((line) => {
    const { total, value } = JSON.parse(line).body;
    return total ?? value;
  });
  return { code, totals, stderr: (err ?? "").replaceAll(directory, "DIR") };
}

Deno.test("a full disk ends the node with 74 and one sentence, and no answer is lost", async () => {
  await withDirectory((directory) =>
    withProgram(counter, async (file) => {
      const first = await runIn("", file, directory, additions(3));
      assertEquals([first.code, first.totals, first.stderr], [0, [undefined, 1, 2, 3], ""]);
      // No file may be longer than this; a write beyond it fails as on a full disk.
      const limit = "trap '' XFSZ; ulimit -f 400;";
      const full = await runIn(limit, file, directory, additions(100));
      assertEquals(full.code, 74, full.stderr);
      assertMatch(full.stderr, /^Cannot write DIR\/n1\/data\.sqlite: [^\n]+\n$/);
      const last = await runIn("", file, directory, additions(1));
      const answered = Number(full.totals.at(-1) ?? 3);
      assert(Number(last.totals[1]) > answered, `${last.totals} after ${full.totals}`);
    })
  );
});

Deno.test("the node of the storage page goes on counting after a restart", async () => {
  const page = await Deno.readTextFile(new URL("../docs/storage.md", import.meta.url));
  const code = /```ts ignore file=counter.ts\n([^]*?)```/.exec(page)?.[1] ?? "";
  await withDirectory((directory) =>
    withProgram(code, async (file) => {
      const read = { src: "c1", dest: "n1", body: { type: "read", msg_id: 9 } };
      const input = `${additions(2)}${JSON.stringify(read)}\n`;
      for (const total of [2, 4]) {
        const run = await runIn(`cd '${directory}';`, file, directory, input);
        assertEquals([run.code, run.totals.at(-1), run.stderr], [0, total, ""]);
      }
      assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["data"]);
    })
  );
});

Deno.test("no node id leaves the directory, and each has a folder of its own", async () => {
  await withDirectory(async (directory) => {
    const ids = [
      "..",
      ".",
      "/",
      "a/../../b",
      "n1",
      "N1",
      "n1.run",
      "%006e1",
      "\0",
      "\ud800",
      "\ud801",
    ];
    ids.push("x".repeat(300), "x".repeat(301), "Ü".repeat(5000), " ", "-rf", "con");
    const data = `${directory}/data`;
    for (const id of ids) {
      await withDisk(data, (storage) => (storage.set("id", id), storage.sync()), { nodeId: id });
    }
    for (const id of ids) {
      assertEquals(await withDisk(data, (storage) => storage.get("id"), { nodeId: id }), id);
    }
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["data"]);
    assertEquals([...Deno.readDirSync(data)].length, 3 * ids.length);
  });
});

Deno.test("what cannot be a directory is told before a node starts", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/file`;
    Deno.writeTextFileSync(file, "");
    assertThrows(() => openDisk(file), UsageError, "it is no directory");
    assertThrows(() => openDisk(`${file}/x`), UsageError, "Not a directory");
    assertThrows(() => openDisk(""), TypeError, "expected the path of a directory");
    assertThrows(() => openDisk(directory, { run: "" }), TypeError, "for run");
    assertThrows(() => openDisk(directory, { runs: "" } as object), TypeError, "Unknown option");
    await withDisk(`${directory}/made/with/parents///`, fill);
  });
});

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { writeHistoryLine } from "./history.ts";
import { defaultOptions, type RunSettings } from "./options.ts";
import { loadProgram } from "./program.ts";
import { simulateProgram } from "./run_program.ts";
import type { RunResult } from "./run.ts";

// A few instructions of WebAssembly, and a module around them.

type Code = number[];

const unsigned = (value: number): Code =>
  value < 128 ? [value] : [value % 128 + 128, ...unsigned(Math.floor(value / 128))];
const signed = (value: number): Code =>
  value >= -64 && value < 64 ? [value & 127] : [value & 127 | 128, ...signed(value >> 7)];
const text = (value: string): Code => [...new TextEncoder().encode(value)];
const named = (name: string): Code => [...unsigned(text(name).length), ...text(name)];
const list = (...items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];

const number = (value: number): Code => [0x41, ...signed(value)];
const get = (local: number): Code => [0x20, local];
const set = (local: number, value: Code): Code => [...value, 0x21, local];
const add = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
const subtract = (a: Code, b: Code): Code => [...a, ...b, 0x6b];
const load = (at: Code): Code => [...at, 0x28, 2, 0];
const loadByte = (at: Code): Code => [...at, 0x2d, 0, 0];
const store = (at: number, value: Code): Code => [...number(at), ...value, 0x36, 2, 0];
const loopWhile = (condition: Code, ...body: Code[]): Code => [
  ...[0x03, 0x40, ...body.flat(), ...condition, 0x0d, 0, 0x0b],
];
const differ = (a: Code, b: Code): Code => [...a, ...b, 0x47];
const drop: Code = [0x1a];
const unreachable: Code = [0x00];
const grow: Code = [...number(1024), 0x40, 0];
const memoryPages: Code = [0x3f, 0];

/** The functions that programs here may import, all of WASI, with how many arguments they have. */
const IMPORTS = { fd_read: 4, fd_write: 4, proc_exit: 1, random_get: 2, sched_yield: 0 } as const;
const call = (name: keyof typeof IMPORTS | "quote", ...args: readonly Code[]): Code => {
  const index = [...Object.keys(IMPORTS), "start", "quote"].indexOf(name);
  return [...args.flat(), 0x10, index];
};

/** The address of the n-th quotation mark after 1023. */
const quote: Code = [
  ...set(1, number(1023)),
  ...loopWhile(
    get(0),
    loopWhile(differ(loadByte(get(1)), number(34)), set(1, add(get(1), number(1)))),
    set(0, subtract(get(0), number(1))),
  ),
  ...get(1),
];

interface Shape {
  readonly imports?: readonly (readonly [module: string, name: string, type: number])[];
  readonly exports?: readonly string[];
  readonly pages?: number;
  readonly data?: Readonly<Record<number, string>>;
}

/** A module whose function _start is `start`, with two local variables. */
function assemble(start: Code, shape: Shape = {}): Uint8Array {
  const I32 = 0x7f;
  const known = Object.entries(IMPORTS).map(([name, count]) =>
    ["wasi_snapshot_preview1", name, name === "proc_exit" ? 5 : count] as const
  );
  const { imports = known, exports = ["memory", "_start"], pages = 1, data = {} } = shape;
  const type = (params: number, results: number) => [
    ...[0x60, params, ...Array(params).fill(I32), results, ...Array(results).fill(I32)],
  ];
  const types = [0, 1, 2, 3, 4].map((params) => type(params, 1)).concat([type(1, 0), type(0, 0)]);
  const body = (code: Code, locals: number): Code => {
    const all = [1, locals, I32, ...code, 0x0b];
    return [...unsigned(all.length), ...all];
  };
  const exported: Readonly<Record<string, Code>> = {
    memory: [2, 0],
    _start: [0, imports.length],
  };
  return Uint8Array.from([
    ...[...text("\0asm"), 1, 0, 0, 0],
    ...section(1, list(...types)),
    ...section(
      2,
      list(...imports.map(([m, name, type]) => [...named(m), ...named(name), 0, type])),
    ),
    ...section(3, list([6], [1])),
    ...section(5, list([0, ...unsigned(pages)])),
    ...section(7, list(...exports.map((name) => [...named(name), ...exported[name] ?? []]))),
    ...section(10, list(body(start, 2), body(quote, 1))),
    ...section(
      11,
      list(
        ...Object.entries(data).map(([at, value]) => [
          ...[0, ...number(Number(at)), 0x0b, ...named(value)],
        ]),
      ),
    ),
  ]);
}

/** What a reply consists of: texts, and pieces of the request between two quotation marks. */
const PIECES: readonly (string | readonly [from: Code, to: Code])[] = [
  '{"dest":"',
  [call("quote", number(5)), call("quote", number(6))],
  '","src":"',
  [call("quote", number(9)), call("quote", number(10))],
  '","body":{"in_reply_to',
  // From the last quotation mark on, without the braces at the end and the line's end.
  [subtract(get(0), number(1)), subtract(get(1), number(3))],
  ',"type":"',
  [call("quote", number(15)), call("quote", number(16))],
  '_ok","echo":"',
  [call("quote", number(19)), call("quote", number(20))],
  '"}}\n',
];

/** A node for echo: reads a line to 1024, writes a reply of {@linkcode PIECES}, and so on. */
function echoNode(before: Code = []): Uint8Array {
  const data: Record<number, string> = {};
  const [inputAt, countAt, piecesAt] = [0, 8, 16];
  const pieces = PIECES.flatMap((piece, i) => {
    const at = piecesAt + 8 * i;
    if (typeof piece !== "string") {
      const start = add(piece[0], number(1));
      return [...store(at, start), ...store(at + 4, subtract(piece[1], start))];
    }
    const place = 256 + 32 * i;
    data[place] = piece;
    return [...store(at, number(place)), ...store(at + 4, number(piece.length))];
  });
  const start = [
    ...before,
    ...store(inputAt, number(1024)),
    ...store(inputAt + 4, number(60_000)),
    ...loopWhile(
      number(1),
      [...call("fd_read", number(0), number(inputAt), number(1), number(countAt)), ...drop],
      set(1, add(number(1024), load(number(countAt)))),
      set(0, get(1)),
      loopWhile(differ(loadByte(get(0)), number(34)), set(0, subtract(get(0), number(1)))),
      pieces,
      [
        ...call("fd_write", number(1), number(piecesAt), number(PIECES.length), number(countAt)),
        ...drop,
      ],
    ),
  ];
  return assemble(start, { data });
}

/** Runs a program as two nodes for two seconds. */
async function run(bytes: Uint8Array, settings: RunSettings = {}): Promise<RunResult> {
  const file = await Deno.makeTempFile({ suffix: ".wasm" });
  try {
    await Deno.writeFile(file, bytes);
    const options = defaultOptions("echo", {
      nodeCount: 2,
      rate: 20,
      timeLimitSeconds: 2,
      seed: 3,
      ...settings,
    });
    return await simulateProgram(await loadProgram(file), [], options);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("a program in WebAssembly runs under virtual time, the same each time", async () => {
  const first = await run(echoNode());
  assertEquals([first.results.valid, first.results.broke], [true, undefined]);
  assert(first.results.stats.okCount > 20);
  assertEquals(first.peakMemoryBytes, 2 ** 16);
  const again = await run(echoNode());
  assertEquals(again.history.map(writeHistoryLine), first.history.map(writeHistoryLine));
});

Deno.test("a killed program begins anew, and a paused one answers later", async () => {
  const settings: RunSettings = { timeLimitSeconds: 10, nemesisIntervalSeconds: 1 };
  const killed = await run(echoNode(), { ...settings, nemesis: ["kill"] });
  assertEquals(killed.results.valid, true, killed.results.broke?.text);
  assert(killed.results.stats.infoCount > 0);
  const paused = await run(echoNode(), { ...settings, nemesis: ["pause"] });
  assertEquals(paused.results.valid, true);
  assert((paused.results.latencies.max ?? 0) > 100);
});

Deno.test("computing takes time, as much as is asked for", async () => {
  const { results } = await run(echoNode(), { compute: { meanMs: 7, jitter: 0 } });
  assertEquals([results.valid, results.latencies.p50], [true, 7]);
});

Deno.test("a program that ends is reported, and ends its own node only", async () => {
  const exit = (code: Code) => call("proc_exit", code);
  const cases: readonly (readonly [code: Code, ...signs: RegExp[]])[] = [
    [[], /exit status 0 \(does the program read standard input/],
    [exit(number(7)), /exit status 7 before it wrote anything/],
    [exit(number(263)), /exit status 7 /],
    [unreachable, /exit status 134/, /The program trapped: unreachable\n +at \S+ \(\w+\.wasm:0x/],
    [[...loadByte(number(-16)), ...drop], /memory access out of bounds/],
    // 21: a pointer is bad.
    [exit(call("fd_write", number(1), number(-16), number(1), number(0))), /exit status 21 /],
    [exit(call("random_get", number(0), number(-1))), /exit status 21 /],
    // 8: no such file.
    [exit(call("fd_write", number(77), number(0), number(0), number(0))), /exit status 8 /],
    // It asks for 1024 pages, 64 MiB, at a time: beside its first page 15 fit in 1 GiB.
    [
      [
        ...loopWhile(differ(grow, number(-1))),
        ...exit([...memoryPages, ...number(10), 0x76]),
      ],
      /exit status 15 /,
    ],
  ];
  for (const [code, ...signs] of cases) {
    const { results, protocolErrors } = await run(assemble(code));
    assertEquals([results.valid, results.broke?.byNode], [false, true], String(signs));
    for (const sign of signs) assertMatch(results.broke?.text ?? "", sign);
    assert(protocolErrors.length >= 1);
  }
});

Deno.test("a program that asks without end does not stop time", async () => {
  const asking = loopWhile(number(1), [...call("sched_yield"), ...drop]);
  const { results } = await run(assemble(asking), { compute: { meanMs: 1, jitter: 0 } });
  assertMatch(results.broke?.text ?? "", /No reply to init from n\d in 10000 ms/);
});

Deno.test("a file that cannot be run is refused with the reason", async () => {
  const bytes = assemble([]);
  const cases: readonly (readonly [file: Uint8Array, why: RegExp])[] = [
    [new TextEncoder().encode("#!/bin/sh\n"), /: it is no WebAssembly$/],
    [Uint8Array.from([...text("\0asm"), 1, 0]), /: it ends too early$/],
    [Uint8Array.from([...text("\0asm"), 13, 0, 1, 0]), /: it is a component \(WASI preview 2\)/],
    [bytes.slice(0, -9), /: .* end/],
    [assemble([], { exports: ["memory"] }), /: it has no function _start: it is a library/],
    [assemble([], { exports: ["_start"] }), /: it exports no memory$/],
    [
      assemble([], { pages: 20_000 }),
      /: it begins with 1250 MiB of memory, and a node may have 1024/,
    ],
    [
      assemble([], { imports: [["gojs", "now", 0]] }),
      /: it imports the function now of gojs, .*\(build with GOOS=wasip1, not GOOS=js\)$/,
    ],
    [
      assemble([], { imports: [["wasi_snapshot_preview1", "sock_open", 0]] }),
      /: it imports the function sock_open of wasi_snapshot_preview1, which is none of its functions/,
    ],
  ];
  for (const [file, why] of cases) {
    const error = await assertRejects(() => run(file), Error);
    assertMatch(error.message, /^Cannot run \S+\.wasm: /);
    assertMatch(error.message, why);
  }
  await assertRejects(() => loadProgram("no/such.wasm"), Error, "there is no such file");
});

import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { LineReader } from "./line_reader.ts";
import { LineWriter } from "./line_writer.ts";

function stream(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks);
}

async function linesOf(chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  await new LineReader(stream(chunks), (line) => lines.push(line)).done;
  return lines;
}

Deno.test("lines come out whole, wherever the stream was cut", async () => {
  const line = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) =>
    text.replaceAll(/[\r\n]/g, "")
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat(100)), async (lines, cuts) => {
      const bytes = new TextEncoder().encode(lines.map((text) => `${text}\n`).join(""));
      const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) =>
        a - b
      );
      const chunks = ends.map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
      assertEquals(await linesOf(chunks), lines.map((text) => text.toWellFormed()));
    }),
    { numRuns: 200, seed: 1 },
  );
});

Deno.test("carriage returns are no part of a line, and a last line needs no end", async () => {
  const text = "a\r\n\r\nb\n\nc";
  assertEquals(await linesOf([new TextEncoder().encode(text)]), ["a", "", "b", "", "c"]);
});

Deno.test("a reader that has enough leaves the rest unread", async () => {
  const lines: string[] = [];
  let pulls = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulls++;
      controller.enqueue(new TextEncoder().encode("x\n"));
    },
  });
  const reader = new LineReader(endless, (line) => lines.push(line), () => lines.length >= 3);
  await reader.done;
  assertEquals(lines, ["x", "x", "x"]);
  assert(pulls < 10, `${pulls}`);
  await reader.cancel();
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

Deno.test("lines of one turn are written at once", async () => {
  const chunks: string[] = [];
  const sink = new WritableStream<Uint8Array>({
    write: (chunk) => void chunks.push(new TextDecoder().decode(chunk)),
  });
  const writer = new LineWriter(sink, () => () => {}, () => {});
  writer.write("a");
  writer.write("b");
  await turn();
  await turn();
  writer.write("c");
  await turn();
  await turn();
  assertEquals(chunks, ["a\nb\n", "c\n"]);
  await writer.abort();
});

Deno.test("a reader that does not keep up makes the writer's source wait, and then go on", async () => {
  const gates: (() => void)[] = [];
  const sink = new WritableStream<Uint8Array>({
    write: () => new Promise<void>((resolve) => gates.push(resolve)),
  });
  let holds = 0;
  const hold = () => {
    holds++;
    return () => void holds--;
  };
  const writer = new LineWriter(sink, hold, () => {});
  const line = "x".repeat(1023);
  for (let count = 0; count < 64; count++) writer.write(line);
  await turn();
  assertEquals(holds, 0);
  writer.write(line);
  writer.write(line);
  assertEquals(holds, 1);
  gates[0]?.();
  await turn();
  assertEquals(holds, 0);
  gates[1]?.();
  await writer.abort();
});

Deno.test("a stream that breaks is told of once, and holds nobody up", async () => {
  const errors: unknown[] = [];
  let holds = 0;
  const sink = new WritableStream<Uint8Array>({
    write: () => Promise.reject(new Error("Broken pipe")),
  });
  const hold = () => {
    holds++;
    return () => void holds--;
  };
  const writer = new LineWriter(sink, hold, (error) => errors.push(error));
  writer.write("x".repeat(100_000));
  assertEquals(holds, 1);
  await turn();
  await turn();
  writer.write("more");
  await turn();
  assertEquals([holds, errors.length], [0, 1]);
  await writer.abort();
});

import { assertRejects } from "@std/assert";
import { readText } from "./check.ts";

Deno.test("a file without an end is refused before it fills the memory", async () => {
  const endless = ReadableStream.from((async function* () {
    while (true) yield await Promise.resolve(new Uint8Array(1000));
  })());
  await assertRejects(() => readText(endless, 5000), Error, "it is longer than 5000 bytes");
  const bomb = new Blob([new Uint8Array(100_000)]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  await assertRejects(() => readText(bomb, 50_000), Error, "it is longer than 50000 bytes");
});

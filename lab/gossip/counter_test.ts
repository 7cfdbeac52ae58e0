import { assertEquals } from "@std/assert";
import { serveGCounter, servePnCounter } from "@eddy/handlers/counter.ts";
import { play } from "./transcript.ts";

const init = '0 c0 -> {"type":"init","msg_id":1,"node_id":"n0","node_ids":["n0","n1"]}';

/** The replies to c1: the value or the error code, or ok. */
async function replies(serve: typeof servePnCounter, bodies: string[]): Promise<unknown[]> {
  const input = [
    init,
    ...bodies.map((body) => body.startsWith("n1") ? `0 ${body}` : `0 c1 -> ${body}`),
  ];
  const transcript = await play(input.join("\n"), "n0", (node) => serve(node));
  return transcript.split("\n").filter((line) => line.startsWith("0 c1 <-")).map((line) => {
    const { value, code } = JSON.parse(line.slice("0 c1 <- ".length));
    return value ?? code ?? "ok";
  });
}

const add = (delta: number | string) => `{"type":"add","msg_id":1,"delta":${delta}}`;
const read = '{"type":"read","msg_id":1}';
/** n1 says that its total is this. */
const gossiped = (total: number) =>
  `n1 -> {"type":"gossip","tag":"p","t":0,"streams":"n1:p","have":[1],"events":[["n1:p",0,1,[${total}]]]}`;

Deno.test("a counter is the sum of what this node and others were sent", async () => {
  assertEquals(await replies(servePnCounter, [add(5), add(-7), gossiped(10), add(0), read]), [
    "ok",
    "ok",
    "ok",
    8,
  ]);
});

Deno.test("a g-counter refuses to shrink", async () => {
  assertEquals(await replies(serveGCounter, [add(5), add(-1), add(0), read]), ["ok", 12, "ok", 5]);
});

Deno.test("what is not exact is refused, and changes nothing", async () => {
  const max = Number.MAX_SAFE_INTEGER;
  assertEquals(
    await replies(servePnCounter, [add(max), add(1), add("1.5"), add("9007199254740993"), read]),
    ["ok", 12, 12, 12, max],
  );
});

Deno.test("a peer's total with which the sum would not be exact is dropped, and reads go on", async () => {
  const max = Number.MAX_SAFE_INTEGER;
  const bodies = [add(max), gossiped(max), read, add(-max), gossiped(max), read];
  assertEquals(await replies(servePnCounter, bodies), ["ok", max, "ok", max]);
});

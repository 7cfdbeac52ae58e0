import { assertEquals } from "@std/assert";
import { play } from "./transcript.ts";
import { MAX_POLL_ENTRIES, MAX_POLL_ENTRIES_PER_KEY, serveKafka } from "@eddy/handlers/kafka.ts";

/** What a node that is alone answers c1. */
async function answers(bodies: string[]): Promise<Record<string, unknown>[]> {
  const init = '0 c0 -> {"type":"init","msg_id":1,"node_id":"n0","node_ids":["n0"]}';
  const input = [init, ...bodies.map((body) => `0 c1 -> ${body}`)].join("\n");
  const transcript = await play(input, "n0", (node) => serveKafka(node));
  return transcript.split("\n").filter((line) => line.startsWith("0 c1 <-"))
    .map((line) => JSON.parse(line.slice("0 c1 <- ".length)));
}

const send = (key: string, msg: string) =>
  `{"type":"send","msg_id":1,"key":${JSON.stringify(key)},"msg":${msg}}`;
const poll = (offsets: string) => `{"type":"poll","msg_id":1,"offsets":${offsets}}`;

Deno.test("what was sent is polled from the offset asked for, and keys without more are left out", async () => {
  const replies = await answers([
    send("k", '"a"'),
    send("k", "null"),
    send("constructor", "1"),
    poll('{"k":1,"constructor":0,"other":0}'),
    poll('{"k":2}'),
    poll("{}"),
  ]);
  assertEquals(replies.slice(0, 3).map(({ offset }) => offset), [0, 1, 0]);
  assertEquals(replies.slice(3).map(({ msgs }) => JSON.stringify(msgs)), [
    '{"k":[[1,null]],"constructor":[[0,1]]}',
    "{}",
    "{}",
  ]);
});

Deno.test("offsets committed are listed, as far as there is something to skip", async () => {
  const replies = await answers([
    send("k", "1"),
    send("k", "2"),
    '{"type":"commit_offsets","msg_id":1,"offsets":{"k":1,"unknown":4}}',
    '{"type":"commit_offsets","msg_id":1,"offsets":{"k":0}}',
    '{"type":"list_committed_offsets","msg_id":1,"keys":["k","unknown"]}',
  ]);
  assertEquals(replies.at(-1)?.offsets, { k: 1 });
});

Deno.test("a poll's reply is bounded, by key and in all", async () => {
  const keys = Array.from({ length: 12 }, (_, i) => `k${i}`);
  const sends = keys.flatMap((key) => Array.from({ length: 1010 }, () => send(key, "0")));
  const offsets = Object.fromEntries(keys.map((key) => [key, 0]));
  const replies = await answers([...sends, poll(JSON.stringify(offsets))]);
  const msgs = Object.values(replies.at(-1)?.msgs as Record<string, unknown[]>);
  assertEquals(Math.max(...msgs.map(({ length }) => length)), MAX_POLL_ENTRIES_PER_KEY);
  assertEquals(msgs.reduce((sum, { length }) => sum + length, 0), MAX_POLL_ENTRIES);
});

Deno.test("malformed requests are refused", async () => {
  const replies = await answers([
    '{"type":"send","msg_id":1,"key":1,"msg":2}',
    '{"type":"send","msg_id":1,"key":"k"}',
    poll('{"k":-1}'),
    poll('{"k":1.5}'),
    '{"type":"list_committed_offsets","msg_id":1,"keys":"k"}',
  ]);
  assertEquals(replies.map(({ code }) => code), [12, 12, 12, 12, 12]);
});

import { assertEquals } from "@std/assert";
import { serveBroadcast } from "@eddy/handlers/broadcast.ts";
import { play } from "./transcript.ts";

const init = '0 c0 -> {"type":"init","msg_id":1,"node_id":"n0","node_ids":["n0","n1","n2"]}';
const alone = '0 c0 -> {"type":"init","msg_id":1,"node_id":"n0","node_ids":["n0"]}';

/** What comes out of n0, without the replies to clients that say no more than ok. */
async function outputOf(
  input: string[],
  options: Parameters<typeof serveBroadcast>[1] = {},
): Promise<string[]> {
  const transcript = await play(input.join("\n"), "n0", (node) => serveBroadcast(node, options));
  return transcript.split("\n").filter((line) =>
    line.includes("<-") && !/"type":"(init|broadcast|topology)_ok"/.test(line)
  );
}

Deno.test("a read gives every value once, as it was sent", async () => {
  const output = await outputOf([
    alone,
    '0 c1 -> {"type":"topology","msg_id":1,"topology":{}}',
    '0 c1 -> {"type":"broadcast","msg_id":2,"message":{"b":1.0,"a":[]}}',
    '0 c1 -> {"type":"broadcast","msg_id":3,"message":{"a":[],"b":1.0}}',
    '0 c1 -> {"type":"broadcast","msg_id":4,"message":null}',
    '0 c1 -> {"type":"read","msg_id":5}',
  ]);
  assertEquals(output, [
    '0 c1 <- {"type":"read_ok","messages":[{"b":1,"a":[]},null],"in_reply_to":5,"msg_id":5}',
  ]);
});

Deno.test("a broadcast is acknowledged at once, and refused without a message", async () => {
  const transcript = await play(
    `${init}
5 c1 -> {"type":"broadcast","msg_id":1,"message":7}
5 c1 -> {"type":"broadcast","msg_id":2}`,
    "n0",
    serveBroadcast,
  );
  const replies = transcript.split("\n").filter((line) => line.startsWith("5 c1 <-"));
  assertEquals(replies.map((line) => /"type":"\w+"(,"code":\d+)?/.exec(line)?.[0]), [
    '"type":"broadcast_ok"',
    '"type":"error","code":12',
  ]);
});

Deno.test("values reach the other nodes by the budget's way", async () => {
  const input = [
    init,
    '0 c1 -> {"type":"topology","msg_id":1,"topology":{"n0":["n2"],"n1":["n2"],"n2":["n0","n1"]}}',
    '10 c1 -> {"type":"broadcast","msg_id":2,"message":7}',
    "11",
  ];
  const dests = async (options: Parameters<typeof serveBroadcast>[1]) =>
    (await outputOf(input, options)).map((line) => line.split(" ")[1]);
  assertEquals(await dests({}), ["n1", "n2"]);
  assertEquals(await dests({ maxLatencyMs: 0 }), ["n1", "n2"]);
  assertEquals(await dests({ topology: "given" }), ["n2"]);
});

Deno.test("malformed gossip is survived", async () => {
  const output = await outputOf([
    init,
    '1 n1 -> {"type":"gossip"}',
    '1 n1 -> {"type":"gossip","tag":"x","t":0,"streams":"n1:x","have":[1],"events":[["n1:x",0,1]]}',
    '1 n9 -> {"type":"gossip","tag":"x","t":0,"streams":"n9:x","have":[1],"events":[["n9:x",0,1,["y"]]]}',
    '2 c1 -> {"type":"read","msg_id":1}',
  ]);
  assertEquals(output, ['2 c1 <- {"type":"read_ok","messages":[],"in_reply_to":1,"msg_id":1}']);
});

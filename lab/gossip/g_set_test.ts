import { assertEquals } from "@std/assert";
import { serveGSet } from "@eddy/handlers/g_set.ts";
import { play } from "./transcript.ts";

Deno.test("an element added is read at once here, and sent to the hub", async () => {
  const transcript = `
0 c0 -> {"type":"init","msg_id":1,"node_id":"n1","node_ids":["n0","n1"]}
0 c0 <- {"type":"init_ok","in_reply_to":1,"msg_id":0}
5 c1 -> {"type":"add","msg_id":1,"element":[1]}
5 c1 <- {"type":"add_ok","in_reply_to":1,"msg_id":1}
5 n0 <- {"type":"gossip","tag":"15v22un","t":5,"streams":"n1:15v22un","have":[1],"events":[["n1:15v22un",0,1,[[1]]]],"up":true,"due":[2400,125]}
5 c1 -> {"type":"read","msg_id":2}
5 c1 <- {"type":"read_ok","value":[[1]],"in_reply_to":2,"msg_id":2}
6
`.trim();
  assertEquals(await play(transcript, "n1", serveGSet), transcript);
});

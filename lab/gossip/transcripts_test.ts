import { assertEquals } from "@std/assert";
import { serveBroadcast } from "@eddy/handlers/broadcast.ts";
import { play } from "./transcript.ts";

Deno.test("when the hub falls silent the next node takes over, until it is back", async () => {
  const transcript = `
# n1 is told a value, and sends it to the hub, n0, at once: it knows of no rhythm to aim for.
0 c0 -> {"type":"init","msg_id":1,"node_id":"n1","node_ids":["n0","n1","n2"]}
0 c0 <- {"type":"init_ok","in_reply_to":1,"msg_id":0}
0 c1 -> {"type":"broadcast","msg_id":1,"message":"a"}
0 c1 <- {"type":"broadcast_ok","in_reply_to":1,"msg_id":1}
0 n0 <- {"type":"gossip","tag":"15v22un","t":0,"streams":"n1:15v22un","have":[1],"events":[["n1:15v22un",0,1,["a"]]],"up":true,"due":[550,125]}
10
# n0 has it, adds one of its own, and says that it sends again in 340 ms.
20 n0 -> {"type":"gossip","tag":"p0","t":1000,"echo":["15v22un",0,10],"streams":"n0:p0 n1:15v22un","have":[1,1],"events":[["n0:p0",0,1,["b"]]],"next":[340,340]}
# The next value leaves just in time for that. But n0 is gone.
100 c1 -> {"type":"broadcast","msg_id":2,"message":"c"}
100 c1 <- {"type":"broadcast_ok","in_reply_to":2,"msg_id":2}
325 n0 <- {"type":"gossip","tag":"15v22un","t":325,"streams":"n1:15v22un n0:p0","have":[2,1],"echo":["p0",1000,305],"events":[["n1:15v22un",1,2,["c"]]],"up":true,"due":[325,31]}
400
# Nothing comes: n1 asks twice, then takes over. It sends to n2, and goes on trying n0.
702 n0 <- {"type":"gossip","tag":"15v22un","t":702,"streams":"n1:15v22un n0:p0","have":[2,1],"echo":["p0",1000,682],"events":[["n1:15v22un",1,2,["c"]]],"up":true,"ask":true,"due":[0,31]}
919 n0 <- {"type":"gossip","tag":"15v22un","t":919,"streams":"n1:15v22un n0:p0","have":[2,1],"echo":["p0",1000,899],"events":[["n1:15v22un",1,2,["c"]]],"up":true,"ask":true,"due":[0,31]}
1135 n2 <- {"type":"gossip","tag":"15v22un","t":1135,"streams":"n1:15v22un n0:p0","have":[2,1],"events":[["n1:15v22un",0,2,["a","c"]],["n0:p0",0,1,["b"]]],"next":[340,340]}
1135 n0 <- {"type":"gossip","tag":"15v22un","t":1135,"streams":"n1:15v22un n0:p0","have":[2,1],"echo":["p0",1000,1115],"events":[["n1:15v22un",1,2,["c"]]],"ask":true,"next":[340,340]}
1160
# n2 has got it.
1165 n2 -> {"type":"gossip","tag":"p2","t":500,"echo":["15v22un",1155,2],"streams":"n0:p0 n1:15v22un","have":[1,2]}
2135 n0 <- {"type":"gossip","tag":"15v22un","t":2135,"streams":"n1:15v22un n0:p0 n2:p2","have":[2,1],"echo":["p0",1000,2115],"stable":[1,1],"events":[["n1:15v22un",1,2,["c"]]],"seen":[["n2","p2",[2,1]]],"ask":true,"next":[0,340]}
3200
# n0 is back, with a value that no other node has. n1 passes it on, and asks n0 whether that hears it, too.
3200 n0 -> {"type":"gossip","tag":"p0","t":4200,"streams":"n0:p0 n1:15v22un","have":[2,1],"events":[["n0:p0",1,2,["d"]]],"next":[340,340]}
3200 n0 <- {"type":"gossip","tag":"15v22un","t":3200,"streams":"n1:15v22un n0:p0 n2:p2","have":[2,2],"echo":["p0",4200,0],"stable":[1,1],"events":[["n1:15v22un",1,2,["c"]]],"seen":[["n2","p2",[2,1]]],"ask":true,"next":[0,340]}
3200 n2 <- {"type":"gossip","tag":"15v22un","t":3200,"streams":"n1:15v22un n0:p0 n2:p2","have":[2,2],"echo":["p2",500,2035],"stable":[1,1],"events":[["n0:p0",1,2,["d"]]],"next":[340,340]}
3205
# It does, so it is the hub again: the next value goes to n0 just in time, and to no other node.
3210 n0 -> {"type":"gossip","tag":"p0","t":4210,"echo":["15v22un",3200,0],"streams":"n0:p0 n1:15v22un","have":[2,2],"next":[330,340]}
3300 c1 -> {"type":"broadcast","msg_id":3,"message":"e"}
3300 c1 <- {"type":"broadcast_ok","in_reply_to":3,"msg_id":3}
3505 n0 <- {"type":"gossip","tag":"15v22un","t":3505,"streams":"n1:15v22un n0:p0 n2:p2","have":[3,2],"echo":["p0",4210,295],"stable":[1,1],"events":[["n1:15v22un",2,3,["e"]]],"up":true,"due":[462,30]}
3540
# n0 has it; and once all have all, there is nothing more to say.
3550 n0 -> {"type":"gossip","tag":"p0","t":4550,"echo":["15v22un",3540,5],"streams":"n0:p0 n1:15v22un","have":[2,3],"next":[340,340]}
5000 n0 -> {"type":"gossip","tag":"p0","t":6000,"echo":["15v22un",3540,1460],"streams":"n0:p0 n1:15v22un","have":[2,3],"stable":[2,3],"next":[340,340]}
600000
600000 c1 -> {"type":"read","msg_id":4}
600000 c1 <- {"type":"read_ok","messages":["a","b","c","d","e"],"in_reply_to":4,"msg_id":4}
`.trim();
  assertEquals(
    await play(transcript, "n1", (node) => serveBroadcast(node, { maxLatencyMs: 550 })),
    transcript,
  );
});

Deno.test("a gap is seen, asked for, and filled", async () => {
  const transcript = `
# n2 is told of a first value by the hub, n0.
0 c0 -> {"type":"init","msg_id":1,"node_id":"n2","node_ids":["n0","n1","n2"]}
0 c0 <- {"type":"init_ok","in_reply_to":1,"msg_id":0}
0 n0 -> {"type":"gossip","tag":"p0","t":1000,"streams":"n0:p0","have":[1],"events":[["n0:p0",0,1,["a"]]],"next":[340,340]}
# The message with the second value is lost, and the third was sent in the belief that it was not.
700 n0 -> {"type":"gossip","tag":"p0","t":1700,"streams":"n0:p0","have":[3],"events":[["n0:p0",2,3,["c"]]],"next":[340,340]}
700 c1 -> {"type":"read","msg_id":1}
700 c1 <- {"type":"read_ok","messages":["a"],"in_reply_to":1,"msg_id":1}
# What is missing may still be on its way; when it has had its time, n2 asks for it.
1750 n0 <- {"type":"gossip","tag":"15v22un","t":1750,"streams":"n2:15v22un n0:p0","have":[0,1],"echo":["p0",1700,1050],"up":true,"ask":true}
1800
# n0 repeats it, and the rest. n2 has all, and says so when nothing else took that along.
1800 n0 -> {"type":"gossip","tag":"p0","t":2800,"echo":["15v22un",1750,0],"streams":"n0:p0","have":[3],"events":[["n0:p0",1,3,["b","c"]]],"next":[0,340]}
1800 c1 -> {"type":"read","msg_id":2}
1800 c1 <- {"type":"read_ok","messages":["a","b","c"],"in_reply_to":2,"msg_id":2}
3800 n0 <- {"type":"gossip","tag":"15v22un","t":3800,"streams":"n2:15v22un n0:p0","have":[0,3],"echo":["p0",2800,2000],"up":true}
4000
# All have all: silence.
5000 n0 -> {"type":"gossip","tag":"p0","t":6000,"echo":["15v22un",3800,1190],"streams":"n0:p0","have":[3],"stable":[3],"next":[340,340]}
600000
`.trim();
  assertEquals(
    await play(transcript, "n2", (node) => serveBroadcast(node, { maxLatencyMs: 550 })),
    transcript,
  );
});

Deno.test("two hubs do no harm", async () => {
  const transcript = `
# n0 is the hub, but n1 cannot reach it and takes itself for one. n2 hears both.
0 c0 -> {"type":"init","msg_id":1,"node_id":"n2","node_ids":["n0","n1","n2"]}
0 c0 <- {"type":"init_ok","in_reply_to":1,"msg_id":0}
0 n0 -> {"type":"gossip","tag":"p0","t":1000,"streams":"n0:p0","have":[1],"events":[["n0:p0",0,1,["a"]]],"next":[340,340]}
50 n1 -> {"type":"gossip","tag":"p1","t":9000,"streams":"n0:p0 n1:p1","have":[1,1],"events":[["n0:p0",0,1,["a"]],["n1:p1",0,1,["b"]]],"next":[340,340]}
# n2 keeps to n0, and takes along what n1 has told.
100 c1 -> {"type":"broadcast","msg_id":1,"message":"c"}
100 c1 <- {"type":"broadcast_ok","in_reply_to":1,"msg_id":1}
115 n0 <- {"type":"gossip","tag":"15v22un","t":115,"streams":"n2:15v22un n0:p0 n1:p1","have":[1,1,1],"echo":["p0",1000,115],"events":[["n2:15v22un",0,1,["c"]],["n1:p1",0,1,["b"]]],"up":true,"due":[485,125]}
340 n0 -> {"type":"gossip","tag":"p0","t":1340,"echo":["15v22un",135,200],"streams":"n0:p0 n1:p1 n2:15v22un","have":[1,1,1],"next":[340,340]}
# n1 has heard nothing from n2 yet, and repeats itself. No value comes twice.
390 n1 -> {"type":"gossip","tag":"p1","t":9340,"streams":"n0:p0 n1:p1","have":[1,1],"events":[["n0:p0",0,1,["a"]],["n1:p1",0,1,["b"]]],"next":[340,340]}
400 c1 -> {"type":"read","msg_id":2}
400 c1 <- {"type":"read_ok","messages":["a","b","c"],"in_reply_to":2,"msg_id":2}
# n1 is told what has come, and with it what it lacks.
2050 n1 <- {"type":"gossip","tag":"15v22un","t":2050,"streams":"n2:15v22un n0:p0 n1:p1","have":[1,1,1],"echo":["p1",9340,1660],"events":[["n2:15v22un",0,1,["c"]]],"sign":true}
3000
`.trim();
  assertEquals(
    await play(transcript, "n2", (node) => serveBroadcast(node, { maxLatencyMs: 550 })),
    transcript,
  );
});

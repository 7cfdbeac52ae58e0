import { assertEquals, assertThrows } from "@std/assert";
import { type JsonObject, RpcError } from "@eddy/maelstrom";
import { decodeGossip, encodeGossip, type Gossip } from "./message.ts";
import { Streams } from "./event_log.ts";

const isNode = (name: string) => name === "n0" || name === "n1";

function overTheWire(gossip: Gossip): Gossip {
  const streams = new Streams();
  streams.number("n0:a");
  streams.number("n1:b");
  const body = JSON.parse(JSON.stringify(encodeGossip(gossip, streams)));
  return decodeGossip(body, streams, isNode);
}

Deno.test("a message arrives as it was sent", () => {
  const gossip: Gossip = {
    tag: "a",
    sentAtMs: 12,
    echo: { tag: "b", sentAtMs: 5, heldMs: 3 },
    have: [4, 2],
    stable: [3],
    batches: [{ stream: 1, from: 1, to: 3, events: [{ x: null }, "y"] }],
    seen: [{ node: "n1", tag: "b", have: [1, 2] }],
    up: true,
    ask: true,
    ack: true,
    more: true,
    past: true,
    rhythm: { nextMs: 10, periodMs: 300 },
    wants: 0,
    archive: { from: 2, total: 9, events: [1] },
  };
  assertEquals(overTheWire(gossip), gossip);
});

Deno.test("a message without events is small", () => {
  const body = encodeGossip({ tag: "a", sentAtMs: 0, have: [] }, new Streams());
  assertEquals(JSON.stringify(body), '{"type":"gossip","tag":"a","t":0,"have":{}}');
});

Deno.test("streams of unknown nodes are left out", () => {
  const body = { tag: "a", t: 0, have: { "n0:a": 1, "x:a": 2 }, events: [["x:a", 0, 1, [7]]] };
  const gossip = decodeGossip(body, new Streams(), isNode);
  assertEquals([gossip.have, gossip.batches], [[1], []]);
});

Deno.test("a malformed message is refused, and says why", () => {
  const good = { type: "gossip", tag: "a", t: 0, have: {} };
  const bad: JsonObject[] = [
    { type: "gossip" },
    { ...good, t: -1 },
    { ...good, t: 1.5 },
    { ...good, have: [] },
    { ...good, have: { "n0:a": "1" } },
    { ...good, events: 3 },
    { ...good, events: [["n0:a", 0, "1", []]] },
    { ...good, echo: [] },
    { ...good, next: [1] },
    { ...good, wants: null },
    { ...good, archive: [0, 1, 2] },
    { ...good, seen: [[1, "a", {}]] },
  ];
  for (const body of bad) {
    assertThrows(
      () => decodeGossip(body, new Streams(), isNode),
      RpcError,
      "Malformed gossip",
      JSON.stringify(body),
    );
  }
});

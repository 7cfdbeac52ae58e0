import { assertEquals, assertThrows } from "@std/assert";
import { type JsonObject, RpcError } from "@eddy/maelstrom";
import { decodeGossip, encodeGossip, type Gossip } from "./message.ts";
import { Streams } from "./event_log.ts";

const isNode = (name: string) => name === "n0" || name === "n1";

function overTheWire(gossip: Gossip): Gossip {
  const streams = new Streams(isNode);
  streams.number("n0:a");
  streams.number("n1:b");
  const body = JSON.parse(JSON.stringify(encodeGossip(gossip, streams)));
  return decodeGossip(body, streams);
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
    urgency: { leftMs: 120, leadMs: 105 },
    wants: 0,
    archive: { from: 2, total: 9, events: [1] },
  };
  assertEquals(overTheWire(gossip), gossip);
});

Deno.test("a message without events is small", () => {
  const body = encodeGossip({ tag: "a", sentAtMs: 0, have: [] }, new Streams(isNode));
  assertEquals(JSON.stringify(body), '{"type":"gossip","tag":"a","t":0,"streams":"","have":[]}');
});

Deno.test("streams of unknown nodes are left out", () => {
  const events = [["x:a", 0, 1, [7]]];
  const body = { tag: "a", t: 0, streams: "x:a n0:a", have: [2, 1], events };
  const gossip = decodeGossip(body, new Streams(isNode));
  assertEquals([gossip.have, gossip.batches], [[1], []]);
});

Deno.test("nodes number streams in orders of their own, and their names may be any", () => {
  const isAnyNode = () => true;
  const [here, there] = [new Streams(isAnyNode), new Streams(isAnyNode)];
  const names = ["n0:a", "a node:b", "100%:c", "%20:d", ":e"];
  const vector = names.map((name, i) => [here.number(name), i + 1][1] ?? 0);
  for (const name of [...names].reverse()) there.number(name);
  const body = JSON.parse(JSON.stringify(
    encodeGossip({ tag: "a", sentAtMs: 0, have: vector }, here),
  ));
  for (const _again of [1, 2]) assertEquals(decodeGossip(body, there).have, [...vector].reverse());
});

Deno.test("a malformed message is refused, and says why", () => {
  const good = { type: "gossip", tag: "a", t: 0, streams: "n0:a", have: [1] };
  const bad: JsonObject[] = [
    { type: "gossip" },
    { ...good, t: -1 },
    { ...good, t: 1.5 },
    { ...good, have: {} },
    { ...good, have: ["1"] },
    { ...good, have: [1, 2] },
    { ...good, stable: [-1] },
    { ...good, streams: ["n0:a"] },
    { ...good, streams: "n0:% n1:b" },
    { ...good, events: 3 },
    { ...good, events: [["n0:a", 0, "1", []]] },
    { ...good, echo: [] },
    { ...good, next: [1] },
    { ...good, wants: null },
    { ...good, archive: [0, 1, 2] },
    { ...good, seen: [[1, "a", []]] },
  ];
  for (const body of bad) {
    assertThrows(
      () => decodeGossip(body, new Streams(isNode)),
      RpcError,
      "Malformed gossip",
      JSON.stringify(body),
    );
  }
});

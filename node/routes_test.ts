import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { RpcError } from "./errors.ts";
import type { Json, JsonObject } from "./json.ts";
import { type Body, type Message, Received } from "./message.ts";
import { Node } from "./node.ts";
import { type NextHop, Routes } from "./routes.ts";
import { NodeState } from "./state.ts";
import { ManualClock, settle, testNode } from "./testing.ts";

const THREE = ["n1", "n2", "n3"];
const FIVE = ["n1", "n2", "n3", "n4", "n5"];

interface TestRoutes {
  readonly self: string;
  readonly state: NodeState;
  readonly routes: Routes;
}

/** The routes of a process of a node. */
function routesOf(self: string, names: readonly string[] = THREE, life = `${self} first`) {
  const state = new NodeState();
  state.routes.join(self, names, () => life);
  return { self, state, routes: state.routes };
}

/** Sends a message with a number of its own. */
function send({ routes }: TestRoutes, dest: string, id: number, nowMs = 0): readonly NextHop[] {
  return routes.send(dest, { type: "note", id }, nowMs) ?? [];
}

/** Hands a message to the routes of a node. */
function take(
  to: TestRoutes,
  src: string,
  body: Body | undefined,
  nowMs = 0,
): Received | NextHop | undefined {
  const copy: Body = JSON.parse(JSON.stringify(body ?? null));
  return to.routes.receive(new Received<JsonObject>(src, to.self, copy), nowMs);
}

/** A message through `relay` that ends at `to`, as `to` takes it. */
function takeThrough(
  relay: TestRoutes,
  to: TestRoutes,
  src: string,
  body: Body | undefined,
  nowMs = 0,
) {
  const passed = take(relay, src, body, nowMs) as NextHop;
  assertEquals(passed.dest, to.self);
  return take(to, relay.self, passed.body, nowMs);
}

const ways = (hops: readonly NextHop[]) => hops.map(({ dest }) => dest);
const idOf = (result: unknown) => result instanceof Received ? result.body.id : undefined;

Deno.test("while nobody is suspected, messages are sent as they are", () => {
  const n1 = routesOf("n1");
  assertEquals(n1.routes.send("n2", { type: "note" }, 0), undefined);
  for (const name of ["n1", "n9", "c1", "lin-kv", "__proto__", "constructor", ""]) {
    n1.routes.suspect(name, 0);
  }
  assert(!n1.routes.active);
  const before = new Routes(n1.state.counts);
  before.suspect("n2", 0);
  assert(!before.active);
});

Deno.test("to a suspected node a message goes directly and through a third one, and is taken once", () => {
  const [n1, n2, n3] = [routesOf("n1"), routesOf("n2"), routesOf("n3")];
  n1.routes.suspect("n2", 0);
  const [direct, relayed] = send(n1, "n2", 7);
  assertEquals([direct?.dest, relayed?.dest], ["n2", "n3"]);
  assertEquals(direct?.body, {
    type: "routed",
    src: "n1",
    dest: "n2",
    life: "n1 first",
    number: 1,
    ask: true,
    suspicions: 1,
    heard: null,
    path: [],
    body: { type: "note", id: 7 },
  });
  assertEquals(n1.routes.send("n3", { type: "note" }, 0), undefined);
  const taken = takeThrough(n3, n2, "n1", relayed?.body);
  assertInstanceOf(taken, Received);
  assertEquals([taken.src, taken.dest, taken.body], ["n1", "n2", { type: "note", id: 7 }]);
  assertEquals(take(n2, "n1", direct?.body), undefined);
  assertEquals(take(n2, "n1", direct?.body), undefined);
});

Deno.test("a suspicion ends when a direct message is known to have arrived, on both sides", () => {
  const [n1, n2] = [routesOf("n1"), routesOf("n2")];
  n1.routes.suspect("n2", 0);
  take(n2, "n1", send(n1, "n2", 1)[0]?.body);
  const answer = send(n2, "n1", 2);
  assertEquals(ways(answer), ["n1", "n3"], "the answer may be what is lost");
  take(n1, "n2", answer[0]?.body);
  const [next, ...others] = send(n1, "n2", 3);
  assertEquals([next?.body.ask, next?.body.heard, others], [
    false,
    { life: "n2 first", direct: 1, relayed: 0, via: null },
    [],
  ]);
  take(n2, "n1", next?.body);
  take(n1, "n2", answer[0]?.body);
  const once = [send(n1, "n2", 4), send(n1, "n2", 5), send(n2, "n1", 6)];
  assertEquals(once.map(ways), [["n2"], [], []], "what is asked is answered once");
  assertEquals([n1.routes.active, n2.routes.active], [false, false]);
});

Deno.test("third nodes are tried in turn, after pauses that double up to two seconds", () => {
  const n1 = routesOf("n1", FIVE);
  n1.routes.suspect("n3", 0);
  n1.routes.suspect("n2", 0);
  const tries: [atMs: number, relay: string | undefined][] = [];
  for (let nowMs = 0; nowMs <= 7200; nowMs++) {
    const [direct, relay] = ways(send(n1, "n3", nowMs, nowMs));
    assertEquals(direct, "n3");
    if (relay !== undefined) tries.push([nowMs, relay]);
  }
  // Those that are suspected, too, come last.
  assertEquals(tries, [
    [0, "n4"],
    [25, "n5"],
    [75, "n2"],
    [175, "n4"],
    [375, "n5"],
    [775, "n2"],
    [1575, "n4"],
    [3175, "n5"],
    [5175, "n2"],
    [7175, "n4"],
  ]);
});

Deno.test("the first, second, fourth and so on repetition of a suspicion tries three third nodes at once", () => {
  const n1 = routesOf("n1", [...FIVE, "n6", "n7"]);
  n1.routes.suspect("n5", 0);
  const counts = Array.from({ length: 9 }, (_, i) => {
    // Longer than the longest pause after the one before.
    const atMs = 3000 * (i + 1);
    for (let id = 0; id < 99; id++) send(n1, "n5", id, atMs - 2);
    n1.routes.suspect("n5", atMs);
    n1.routes.suspect("n5", atMs + 1);
    const [first = [], second = []] = [0, 1].map(() => ways(send(n1, "n5", 0, atMs + 1)));
    assertEquals([first[0], second], ["n5", ["n5"]]);
    return first.length - 1;
  });
  assertEquals(counts, [3, 3, 0, 3, 0, 0, 0, 3, 0]);
});

Deno.test("nobody tries first of all what every other node tries", () => {
  const first = FIVE.slice(0, 4).map((self) => {
    const each = routesOf(self, FIVE);
    each.routes.suspect("n5", 0);
    return send(each, "n5", 1)[1]?.dest;
  });
  assertEquals(first, ["n2", "n3", "n4", "n1"]);
});

/** Three nodes of which the first knows that its messages to the second arrive through the third. */
function provenAt(nowMs: number) {
  const [n1, n2, n3] = [routesOf("n1"), routesOf("n2"), routesOf("n3")];
  n1.routes.suspect("n2", nowMs);
  takeThrough(n3, n2, "n1", send(n1, "n2", 1, nowMs)[1]?.body, nowMs);
  take(n1, "n2", send(n2, "n1", 2, nowMs)[0]?.body, nowMs);
  return { n1, n2, n3 };
}

Deno.test("messages go through a third node alone that is known to help, and every 500 ms directly, too", () => {
  const { n1, n2, n3 } = provenAt(100);
  const sent = [100, 599, 600, 601, 1099, 1100].map((nowMs) => ways(send(n1, "n2", 3, nowMs)));
  assertEquals(sent, [["n3"], ["n3"], ["n2", "n3"], ["n3"], ["n3"], ["n2", "n3"]]);
  // The other direction works, as the answer to the relayed message shows.
  takeThrough(n3, n2, "n1", send(n1, "n2", 4, 1101)[0]?.body, 1101);
  assertEquals(ways(send(n2, "n1", 5, 1101)), ["n1"]);
});

Deno.test("a third node that brings nothing from one suspicion to the next is given up", () => {
  const { n1, n2 } = provenAt(0);
  const old = send(n2, "n1", 3, 0)[0]?.body;
  n1.routes.suspect("n2", 499);
  n1.routes.suspect("n2", 500);
  assertEquals(ways(send(n1, "n2", 4, 501)), ["n2", "n3"]);
  assertEquals(ways(send(n1, "n2", 4, 501)), ["n3"], "something was heard since the first");
  n1.routes.suspect("n2", 1000);
  const sent = [5, 6, 7].map((id) => ways(send(n1, "n2", id, 1001)));
  assertEquals(sent, [["n2", "n3"], ["n2"], ["n2"]]);
  take(n1, "n2", old, 1002);
  assertEquals(ways(send(n1, "n2", 8, 1003)), ["n2"], "old news proves nothing");
});

Deno.test("a node that is heard again after a silence is looked for again at once", () => {
  const [n1, n2] = [routesOf("n1", FIVE), routesOf("n2", FIVE)];
  n1.routes.suspect("n2", 0);
  for (let nowMs = 0; nowMs < 10_000; nowMs += 10) send(n1, "n2", 1, nowMs);
  assertEquals(ways(send(n1, "n2", 1, 10_000)), ["n2"], "the pauses have grown");
  n2.routes.suspect("n1", 0);
  take(n1, "n2", send(n2, "n1", 2)[0]?.body, 10_000);
  assertEquals(ways(send(n1, "n2", 3, 10_001)).length, 4);
  take(n1, "n2", send(n2, "n1", 4)[0]?.body, 10_002);
  assertEquals(ways(send(n1, "n2", 5, 10_003)), ["n2"], "it was not silent");
});

Deno.test("the one through which a node is heard again is tried at once, however often it was before", () => {
  const names = [...FIVE, "n6", "n7"];
  const [n1, n2, n3] = [routesOf("n1", names), routesOf("n2", names), routesOf("n3", names)];
  n1.routes.suspect("n2", 0);
  const tries = [0, 25, 75, 175, 375, 775].map((nowMs) => ways(send(n1, "n2", 1, nowMs))[1]);
  assertEquals(tries, ["n3", "n4", "n5", "n6", "n7", "n3"]);
  n2.routes.suspect("n1", 1000);
  takeThrough(n3, n1, "n2", send(n2, "n1", 2, 1000)[1]?.body, 1000);
  assertEquals(ways(send(n1, "n2", 3, 1000)), ["n2", "n3", "n4", "n5"]);
});

Deno.test("a suspicion that nothing repeats, and nothing is heard in, ends after 30 s", () => {
  const { n1 } = provenAt(0);
  assertEquals(ways(send(n1, "n2", 1, 29_999)), ["n2", "n3"]);
  assertEquals(n1.routes.send("n2", { type: "note" }, 30_000), undefined);
  assert(!n1.routes.active);
});

Deno.test("each suspicion makes the other node suspect once, whichever copy tells of it", () => {
  const [n1, n2, n3] = [routesOf("n1"), routesOf("n2"), routesOf("n3")];
  n1.routes.suspect("n2", 0);
  const [direct, relayed] = send(n1, "n2", 1);
  take(n2, "n1", direct?.body);
  take(n1, "n2", send(n2, "n1", 2)[0]?.body);
  take(n2, "n1", send(n1, "n2", 3)[0]?.body);
  assertEquals(ways(send(n2, "n1", 4)), []);
  takeThrough(n3, n2, "n1", relayed?.body);
  assertEquals(ways(send(n2, "n1", 5)), ["n1"]);
  n1.routes.suspect("n2", 1000);
  take(n2, "n1", send(n1, "n2", 6, 1000)[0]?.body, 1000);
  assertEquals(ways(send(n2, "n1", 7, 1000)), ["n1", "n3"]);
});

Deno.test("a node answers first through the one that brought it the message, and tries each once before any again", () => {
  const [n1, n2, n5] = [routesOf("n1", FIVE), routesOf("n2", FIVE), routesOf("n5", FIVE)];
  n1.routes.suspect("n2", 0);
  takeThrough(n5, n2, "n1", send(n1, "n2", 1)[0]?.body);
  const tries = [0, 25, 75, 175, 375].map((nowMs) => ways(send(n2, "n1", 2, nowMs))[1]);
  assertEquals(tries, ["n5", "n3", "n4", "n5", "n3"]);
});

Deno.test("one that brings a message while others were tried is next", () => {
  const [n1, n2, n5] = [routesOf("n1", FIVE), routesOf("n2", FIVE), routesOf("n5", FIVE)];
  n2.routes.suspect("n1", 0);
  assertEquals(ways(send(n2, "n1", 1)), ["n1", "n3"]);
  n1.routes.suspect("n2", 0);
  takeThrough(n5, n2, "n1", send(n1, "n2", 2)[0]?.body, 25);
  const tries = [25, 75, 175].map((nowMs) => ways(send(n2, "n1", 3, nowMs))[1]);
  assertEquals(tries, ["n5", "n4", "n5"]);
});

Deno.test("messages may come in any order; copies are known 1024 numbers back", () => {
  const [n1, n2] = [routesOf("n1"), routesOf("n2")];
  n1.routes.suspect("n2", 0);
  const sent = Array.from({ length: 2000 }, (_, id) => send(n1, "n2", id)[0]?.body);
  const ids = [5, 3, 5, 4, 3, 1999, 976, 976, 975, 5].map((i) => idOf(take(n2, "n1", sent[i])));
  assertEquals(ids, [5, 3, undefined, 4, undefined, 1999, 976, undefined, undefined, undefined]);
});

Deno.test("the numbers of a restarted node begin anew, and late messages of the killed one do no harm", () => {
  const { n1, n2 } = provenAt(0);
  const late = send(n1, "n2", 3)[0]?.body;
  const again = routesOf("n1", THREE, "n1 second");
  again.routes.suspect("n2", 0);
  const [first] = send(again, "n2", 4);
  assertEquals(idOf(take(n2, "n1", first?.body)), 4);
  assertEquals(idOf(take(n2, "n1", late)), 3);
  assertEquals(take(n2, "n1", first?.body), undefined);
  assertEquals(take(n2, "n1", late), undefined);
  assertEquals(send(n2, "n1", 5)[0]?.body.heard, {
    life: "n1 second",
    direct: 1,
    relayed: 0,
    via: null,
  });
  // What is heard of the killed one says nothing of this one's messages.
  const { n2: n2Before } = provenAt(0);
  take(again, "n2", send(n2Before, "n1", 6)[0]?.body);
  assertEquals(send(again, "n2", 7)[0]?.body.ask, true);
});

Deno.test("a killed node's first message that comes after its successor's does not stand for it for good", () => {
  const [killed, n1, n2] = [routesOf("n1"), routesOf("n1", THREE, "n1 second"), routesOf("n2")];
  killed.routes.suspect("n2", 0);
  n1.routes.suspect("n2", 0);
  const [late] = send(killed, "n2", 1);
  take(n2, "n1", send(n1, "n2", 2)[0]?.body);
  take(n2, "n1", late?.body);
  for (const id of [3, 4]) take(n2, "n1", send(n1, "n2", id)[0]?.body);
  const heard = { life: "n1 second", direct: 3, relayed: 0, via: null };
  assertEquals(send(n2, "n1", 5)[0]?.body.heard, heard);
});

Deno.test("a node passes messages on, through another one where it knows that this is needed", () => {
  const { n1 } = provenAt(0);
  const n4 = { ...routed(), src: "n4", dest: "n2" };
  const names = [...THREE, "n4", "n5"];
  n1.routes.join("n1", names, () => "again");
  assertEquals(take(n1, "n4", n4), { dest: "n2", body: { ...n4, path: ["n1"] } });
  n1.routes.suspect("n2", 0);
  const number = Number(send(n1, "n2", 1)[0]?.body.number);
  assertEquals(take(n1, "n4", n4), { dest: "n2", body: { ...n4, path: ["n1"] } });
  const heard = { life: "n1 first", direct: 0, relayed: number, via: "n3" };
  take(n1, "n2", { ...routed(), heard });
  assertEquals(take(n1, "n4", n4), { dest: "n3", body: { ...n4, path: ["n1"] } });
  const past = { ...n4, path: ["n3"] };
  assertEquals(take(n1, "n3", past), { dest: "n2", body: { ...n4, path: ["n3", "n1"] } });
  const long = { ...n4, path: ["n3", "n5", "n1"] };
  assertEquals(take(n1, "n5", { ...n4, path: ["n3", "n5"] }), { dest: "n2", body: long });
});

Deno.test("what has gone in a circle or too far is dropped and counted", () => {
  const n1 = routesOf("n1", [...FIVE, "n6"]);
  const other = { ...routed(), dest: "n3" };
  assertEquals(take(n1, "n4", { ...other, path: ["n1", "n4"] }), undefined);
  assertEquals(take(n1, "n6", { ...other, path: ["n4", "n5", "n6"] }), undefined);
  assertEquals(take(n1, "n4", { ...other, src: "n1", path: ["n4"] }), undefined);
  assertEquals(n1.state.counts.droppedRelays, 3);
});

/** A wrapped message from n2 to n1. */
function routed(): Body {
  return {
    type: "routed",
    src: "n2",
    dest: "n1",
    life: "x",
    number: 1,
    ask: true,
    suspicions: 1,
    heard: null,
    path: [],
    body: { type: "note" },
  };
}

Deno.test("a malformed message is refused, and changes nothing", () => {
  const many = Array.from({ length: 10_000 }, (_, i) => `n${i}`);
  const bad: Record<string, Json[]> = {
    src: [null, 1, "n1", "n9", "c1", "__proto__", "constructor", ["n2"]],
    dest: [null, 1, "n2", "n9", "c1", "__proto__", "toString"],
    life: [null, 1, "", "x".repeat(65), {}],
    number: [null, 0, -1, 1.5, "1", 2 ** 53, []],
    ask: [null, 0, "true"],
    suspicions: [null, -1, 0.5, "1"],
    heard: [
      0,
      "x",
      [],
      {},
      { life: "x", direct: 0, relayed: 0 },
      { life: "x", direct: -1, relayed: 0, via: null },
      { life: "x", direct: 0, relayed: "1", via: null },
      { life: "x", direct: 0, relayed: 1, via: "n1" },
      { life: "x", direct: 0, relayed: 1, via: "n2" },
      { life: "x", direct: 0, relayed: 1, via: "__proto__" },
    ],
    path: [null, "n3", {}, [1], ["n9"], ["n3", "n3"], ["n2"], ["n1"], ["constructor"], many],
    body: [null, 1, [], {}, { type: 1 }, { type: "x", msg_id: 1.5 }, routed()],
  };
  const n1 = routesOf("n1");
  const asIs: JsonObject = routed();
  for (const [field, values] of Object.entries(bad)) {
    const { [field]: _, ...without } = asIs;
    for (const body of [without, ...values.map((value) => ({ ...asIs, [field]: value }))]) {
      const what = JSON.stringify(body).slice(0, 200);
      const error = assertThrows(() => take(n1, "n2", body as Body), RpcError, undefined, what);
      assertEquals(error.code, 12, what);
    }
  }
  const forged: [sender: string, body: Body][] = [
    ["n3", routed()],
    ["c1", routed()],
    ["n2", { ...routed(), path: ["n3"] }],
    ["n3", { ...routed(), src: "n3", path: ["n2"] }],
  ];
  for (const [sender, body] of forged) {
    assertThrows(() => take(n1, sender, body), RpcError, "Malformed routed: its sender must be");
  }
  const toOther = new Received<JsonObject>("n2", "n3", routed());
  assertThrows(() => n1.routes.receive(toOther, 0), RpcError, "its receiver must be this node, n1");
  assert(!n1.routes.active);
  assertEquals(idOf(take(n1, "n2", { ...routed(), body: { type: "note", id: 1 } })), 1);
});

Deno.test("nodes may be named as what every object has", () => {
  const names = ["__proto__", "constructor", "toString"];
  const [a, b, c] = [
    routesOf("__proto__", names),
    routesOf("constructor", names),
    routesOf("toString", names),
  ];
  a.routes.suspect("constructor", 0);
  const [direct, relayed] = send(a, "constructor", 1);
  assertEquals([direct?.dest, relayed?.dest], ["constructor", "toString"]);
  assertEquals(idOf(takeThrough(c, b, "__proto__", relayed?.body)), 1);
  assertEquals(ways(send(b, "__proto__", 2)), ["__proto__", "toString"]);
});

Deno.test("news of messages that were never sent prove nothing", () => {
  const n1 = routesOf("n1");
  n1.routes.suspect("n2", 0);
  send(n1, "n2", 1);
  for (const [direct, relayed] of [[9, 0], [0, 9], [9, 9]] as const) {
    const heard = { life: "n1 first", direct, relayed, via: "n3" };
    take(n1, "n2", { ...routed(), heard });
    assertEquals(ways(send(n1, "n2", 2, 1)), ["n2"]);
  }
});

Deno.test("a call that times out suspects its node; a service or a client is never suspected", async () => {
  const { node, sent, clock } = await testNode();
  for (const dest of ["lin-kv", "c1", "n1", "n9"]) {
    node.rpc(dest, { type: "a" }, { timeoutMs: 10 }).catch(() => {});
  }
  await clock.advance(10);
  assert(!node.state.routes.active);
  node.rpc("n2", { type: "a" }, { timeoutMs: 10 }).catch(() => {});
  await clock.advance(10);
  sent.length = 0;
  node.send("n2", { type: "note" });
  node.broadcast({ type: "note" });
  const seen = sent.map(({ dest, body }) => [dest, body.type]);
  assertEquals(seen, [["n2", "routed"], ["n3", "routed"], ["n2", "routed"], ["n3", "note"]]);
});

Deno.test("a wrapped message is handled as one that came directly, a reply too while handlers are bounded", async () => {
  const { node, sent, receive } = await testNode({ maxInFlight: 1 });
  const seen: string[] = [];
  node.on("note", ({ src }) => void seen.push(src));
  node.on("ask", async ({ src }) => ({ value: (await node.rpc(src, { type: "get" })).value ?? 0 }));
  receive("n2", { ...routed(), body: { type: "ask", msg_id: 5 } });
  receive("n3", { ...routed(), number: 2, path: ["n3"] });
  const [get] = sent.map(({ body }) => body.body as JsonObject);
  assertEquals([get?.type, node.state.held.length], ["get", 1]);
  const reply = { type: "get_ok", in_reply_to: get?.msg_id ?? null, value: 3 };
  receive("n2", { ...routed(), number: 3, body: reply });
  await settle();
  assertEquals(seen, ["n2"]);
  const { in_reply_to, value } = sent.at(-1)?.body.body as JsonObject;
  assertEquals([in_reply_to, value], [5, 3]);
});

Deno.test("wrapped messages wait for init, and replies among them come while the node starts", async () => {
  const { node, receive, logs } = await testNode({}, { init: false });
  const seen: unknown[] = [];
  node.on("note", ({ body }) => void seen.push(body.id));
  node.onInit(async () => void seen.push((await node.rpc("n2", { type: "get" })).type));
  receive("n2", { ...routed(), body: { type: "note", id: 1 } });
  receive("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1", "n2"] });
  receive("n2", { ...routed(), number: 2, body: { type: "note", id: 2 } });
  assertEquals(seen, []);
  receive("n2", { ...routed(), number: 3, body: { type: "get_ok", in_reply_to: 0 } });
  await settle();
  assertEquals([seen, logs], [["get_ok", 1, 2], []]);
});

Deno.test("a malformed wrapped message is answered with error 12 where it can be, and logged else", async () => {
  const { node, sent, receive, logs } = await testNode();
  receive("c1", { ...routed(), msg_id: 4 });
  receive("n2", { ...routed(), path: "n3" });
  receive("n2", { ...routed(), body: { type: "error", code: 13 } });
  assertEquals(sent.map(({ dest, body }) => [dest, body.code, body.in_reply_to]), [["c1", 12, 4]]);
  assertEquals(logs, [
    '"routed" from n2 failed: Malformed routed: path must be a list of up to 3 other nodes',
    "Dropped an error from n2 that answers nothing: " +
    JSON.stringify('{"type":"error","code":13}'),
  ]);
  assertThrows(() => node.on("routed", () => {}), Error, "it has a handler already");
});

/** Nodes in this process on one clock, each message 10 ms on its way. */
class Cluster {
  readonly clock = new ManualClock();
  readonly nodes = new Map<string, Node>();
  /** Whose messages to whom are lost, as `n1 n2`. */
  readonly cut = new Set<string>();
  messages = 0;
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    this.#names = names;
    for (const name of names) this.start(name);
  }

  /** Starts a node, or a new process of it. */
  start(name: string): Node {
    const node = new Node({
      clock: this.clock,
      random: { next: () => (1 + this.nodes.size + this.messages % 97) / 100 },
      log: () => {},
      output: { write: (line) => this.#carry(line) },
    });
    node.on("add", ({ body: { a, b } }) => ({ sum: Number(a) + Number(b) }));
    const body = { type: "init", msg_id: 0, node_id: name, node_ids: [...this.#names] };
    node.receive(JSON.stringify({ src: "c0", dest: name, body }));
    this.nodes.set(name, node);
    return node;
  }

  #carry(line: string): void {
    const { src, dest }: Message = JSON.parse(line);
    if (dest === "c0") return;
    this.messages++;
    this.clock.schedule(10, () => {
      if (!this.cut.has(`${src} ${dest}`)) this.nodes.get(dest)?.receive(line);
    });
  }

  /** How many tries a call takes, or `Infinity`. */
  async call(src: string, dest: string, maxTries = 8): Promise<number> {
    const [tries = Infinity] = await this.calls([[src, dest]], maxTries);
    return tries;
  }

  /** The same for calls at the same time. */
  async calls(
    pairs: readonly (readonly [src: string, dest: string])[],
    maxTries = 8,
  ): Promise<number[]> {
    const all = Promise.all(pairs.map(([src, dest]) => this.#call(src, dest, maxTries)));
    // A try waits for a second, a pause takes two at most.
    await this.clock.advance(3000 * maxTries);
    return await all;
  }

  async #call(src: string, dest: string, maxTries: number): Promise<number> {
    const node = this.nodes.get(src);
    let tries = 0;
    const options = { timeoutMs: Infinity, maxTries };
    const sum = await node?.retry((number) => {
      tries = number;
      return node.rpc(dest, { type: "add", a: 1, b: number });
    }, options).then((reply) => reply.sum, () => undefined);
    return sum === tries + 1 ? tries : Infinity;
  }
}

/** Lets each node hear only those that follow it: `count` of them. */
function ring(names: readonly string[], count: number): string[] {
  return names.flatMap((dest, i) =>
    names.filter((src, j) => src !== dest && (j - i + names.length) % names.length > count)
      .map((src) => `${src} ${dest}`)
  );
}

for (const [names, heardCount] of [[THREE, 1], [FIVE, 2]] as const) {
  Deno.test(`in a ring of ${names.length} in which each node hears ${heardCount} others, every call comes through`, async () => {
    const cluster = new Cluster(names);
    for (const link of ring(names, heardCount)) cluster.cut.add(link);
    for (const src of names) {
      for (const dest of names.filter((name) => name !== src)) {
        assertLess(await cluster.call(src, dest), 5, `${src} to ${dest}`);
      }
    }
  });
}

Deno.test("a suspicion ends soon after the cut, and messages are plain again", async () => {
  const cluster = new Cluster(THREE);
  for (const link of ["n1 n2", "n2 n1"]) cluster.cut.add(link);
  assertEquals(await cluster.call("n1", "n2", 2), 2);
  cluster.cut.clear();
  for (let i = 0; i < 4; i++) await cluster.call("n1", "n2", 1);
  cluster.messages = 0;
  assertEquals(await cluster.call("n1", "n2", 1), 1);
  const isActive = [...cluster.nodes.values()].map(({ state }) => state.routes.active);
  assertEquals([cluster.messages, isActive], [2, [false, false, false]]);
});

Deno.test("a node that restarts during a cut is reached again", async () => {
  const cluster = new Cluster(THREE);
  for (const link of ["n1 n2", "n2 n1"]) cluster.cut.add(link);
  assertEquals(await cluster.call("n1", "n2"), 2);
  cluster.start("n2");
  assertLess(await cluster.call("n1", "n2"), 3);
  cluster.start("n1");
  assertLess(await cluster.call("n1", "n2"), 3);
});

Deno.test("a third node that fails is replaced by another one", async () => {
  const cluster = new Cluster(FIVE);
  for (const link of ["n1 n2", "n2 n1"]) cluster.cut.add(link);
  assertEquals(await cluster.call("n1", "n2"), 2);
  for (const other of ["n1", "n2"]) cluster.cut.add(`n3 ${other}`).add(`${other} n3`);
  assertLess(await cluster.call("n1", "n2"), 5);
  assertLess(await cluster.call("n2", "n1"), 5);
});

Deno.test("a node that nobody reaches costs a bounded number of messages more", async () => {
  const cluster = new Cluster(FIVE);
  for (const other of FIVE.slice(1)) cluster.cut.add(`n1 ${other}`).add(`${other} n1`);
  const n2 = cluster.nodes.get("n2");
  n2?.every(50, () => n2.send("n1", { type: "note" }), { jitter: 0 });
  n2?.every(1000, () => n2.suspect("n1"), { jitter: 0 });
  await cluster.clock.advance(60_000);
  const direct = 60_000 / 50;
  const inTurn = 7 + 60 / 2;
  const allAtOnce = 3 * Math.ceil(Math.log2(60));
  // A message through a third node is two.
  assertLess(cluster.messages, direct + 2 * (inTurn + allAtOnce));
  assertGreater(cluster.messages, direct + 2 * 20);
});

/** Cuts, of which those are left out that leave two nodes without a way of at most two messages. */
const cuts = fc.integer({ min: 3, max: 5 }).chain((count) => {
  const names = Array.from({ length: count }, (_, i) => `n${i}`);
  const links = names.flatMap((a) => names.filter((b) => a !== b).map((b) => `${a} ${b}`));
  return fc.shuffledSubarray(links).map((chosen) => {
    const cut = new Set<string>();
    const isLeft = (link: string) => {
      const [a, b] = link.split(" ");
      return !cut.has(link) || names.some((c) => !cut.has(`${a} ${c}`) && !cut.has(`${c} ${b}`));
    };
    for (const link of chosen) {
      cut.add(link);
      if (!links.every(isLeft)) cut.delete(link);
    }
    return { names, cut };
  });
});

Deno.test("whatever is cut, all calls of five nodes come through at the fourth try where a third node can help", async () => {
  await fc.assert(
    fc.asyncProperty(cuts, async ({ names, cut }) => {
      const cluster = new Cluster(names);
      for (const link of cut) cluster.cut.add(link);
      const pairs = names.flatMap((a) => names.filter((b) => a !== b).map((b) => [a, b] as const));
      assertLess(Math.max(...await cluster.calls(pairs)), 5);
    }),
    { numRuns: 50 },
  );
});

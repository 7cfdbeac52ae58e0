import { assertEquals } from "@std/assert";
import {
  MessageCollector,
  packMessages,
  parseMessageEvent,
  unpackMessages,
} from "./report_messages.ts";

const LINES = [
  '{"type":"send","time":1,"id":0,"src":"c0","dest":"n1","body":{"type":"init","body":{"x":1.50}}}',
  '{"type":"recv","time":1.5,"id":0,"src":"c0","dest":"n1"}',
  '{"type":"send","time":2,"id":1,"src":"n1","dest":"c0","body":{"type":"init_ok","in_reply_to":1}}',
  '{"type":"recv","time":2,"id":1,"src":"n1","dest":"c0"}',
  '{"type":"recv","time":2.25,"id":1,"src":"n1","dest":"c0"}',
  '{"type":"send","time":3,"id":2,"src":"n1","dest":"n2","body":{"type":"gossip"}}',
  '{"type":"drop","time":3,"id":2,"src":"n1","dest":"n2","why":"partition"}',
  '{"type":"send","time":4,"id":3,"sr',
];

function collect(max?: number) {
  const collector = new MessageCollector(1, Infinity, max);
  for (const event of LINES.map(parseMessageEvent)) if (event !== undefined) collector.add(event);
  return collector.shown;
}

Deno.test("lines become messages, each with what became of it; a line cut short is left out", () => {
  const { messages, sentCount } = collect();
  assertEquals(sentCount, 3);
  assertEquals(messages[0], {
    id: 0,
    src: "c0",
    dest: "n1",
    sentMs: 0,
    type: "init",
    body: '{"type":"init","body":{"x":1.50}}',
    deliveries: [{ atMs: 0.5, nextId: 1 }],
    drops: [],
  });
  assertEquals(messages[1]?.deliveries.map(({ atMs }) => atMs), [1, 1.25]);
  assertEquals(messages[2]?.drops, [{ atMs: 2, why: "partition" }]);
});

Deno.test("of more messages than fit the first are kept, and all are counted", () => {
  const { messages, sentCount } = collect(1);
  assertEquals([messages.length, sentCount], [1, 3]);
});

Deno.test("packed messages come out as they were", () => {
  const { messages } = collect();
  const unpacked = unpackMessages(JSON.parse(JSON.stringify(packMessages(messages))));
  const plain = unpacked.map((message) => {
    const { id, src, dest, sentMs, type, body, deliveries, drops } = message;
    return { id, src, dest, sentMs, type, body, deliveries, drops };
  });
  assertEquals(plain, [...messages]);
});

import { assertEquals, assertMatch } from "@std/assert";
import { parseJson } from "@eddy/maelstrom";
import { settle, testNode } from "@eddy/maelstrom/testing";
import { workloads } from "./workloads.ts";

/** Keys that an object literal has already, or that assignment does not set. */
const oddKeys = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", ""];

/** Asks a one-node cluster that serves a workload. */
async function cluster(workload: keyof typeof workloads, id = "n1") {
  const test = await testNode({}, { init: false });
  (await workloads[workload]()).configure([])(test.node);
  const ask = async (body: string): Promise<string> => {
    test.node.receive(`{"src":"c1","dest":"${id}","body":${body}}`);
    await test.clock.advance(1000);
    return test.lines.at(-1) ?? "";
  };
  await ask(`{"type":"init","msg_id":1,"node_id":"${id}","node_ids":["${id}"]}`);
  return { ...test, ask };
}

for (const key of oddKeys) {
  Deno.test(`kafka checks and keeps what belongs to the key "${key}"`, async () => {
    const { ask } = await cluster("kafka");
    for (const offset of ["-5", "1.5", '"evil"', "null", "[]", "9007199254740993"]) {
      for (const type of ["commit_offsets", "poll"]) {
        const reply = await ask(
          `{"type":"${type}","msg_id":2,"offsets":{"a":0,"${key}":${offset}}}`,
        );
        assertMatch(reply, /"code":12,"text":"Malformed \w+: offsets\.\w*: Expected an? /, offset);
      }
    }
    await ask(`{"type":"send","msg_id":2,"key":"${key}","msg":{"${key}":1}}`);
    const offset = /"offset":(\d+)/.exec(
      await ask(
        `{"type":"send","msg_id":3,"key":"${key}","msg":7}`,
      ),
    )?.[1];
    const polled = await ask(`{"type":"poll","msg_id":4,"offsets":{"${key}":${offset}}}`);
    assertMatch(polled, new RegExp(`"msgs":\\{"${key}":\\[\\[${offset},7\\]\\]\\}`));
    await ask(`{"type":"commit_offsets","msg_id":5,"offsets":{"${key}":${offset}}}`);
    const listed = await ask(`{"type":"list_committed_offsets","msg_id":6,"keys":["${key}"]}`);
    assertMatch(listed, new RegExp(`"offsets":\\{"${key}":${offset}\\}`));
    const nothing = await ask(`{"type":"list_committed_offsets","msg_id":7,"keys":["other"]}`);
    assertMatch(nothing, /"offsets":\{\}/);
  });

  Deno.test(`every workload gives back a value and a key "${key}" as they came`, async () => {
    const value = `{"a":1.0,"${key}":[{"${key}":2}]}`;
    const talks: [workload: keyof typeof workloads, ...bodies: string[]][] = [
      ["echo", `"type":"echo","echo":${value}`],
      ["broadcast", `"type":"broadcast","message":${value}`, `"type":"read"`],
      ["g-set", `"type":"add","element":${value}`, `"type":"read"`],
      ["kafka", `"type":"send","key":"k","msg":${value}`, `"type":"poll","offsets":{"k":0}`],
      ["lin-kv", `"type":"write","key":"${key}","value":${value}`, `"type":"read","key":"${key}"`],
      ["lin-kv", `"type":"write","key":${value},"value":${value}`, `"type":"read","key":${value}`],
      ["txn-list-append", `"type":"txn","txn":[["append","${key}",${value}],["r","${key}",null]]`],
      ["txn-rw-register", `"type":"txn","txn":[["w","${key}",${value}],["r","${key}",null]]`],
    ];
    for (const [workload, ...bodies] of talks) {
      const { ask } = await cluster(workload);
      let reply = "";
      for (const body of bodies) reply = await ask(`{"msg_id":2,${body}}`);
      assertEquals(reply.includes(value), true, `${workload}: ${reply}`);
      assertEquals(JSON.stringify(parseJson(reply)), reply);
    }
  });
}

Deno.test("a topology is checked under every name, and a node may have any", async () => {
  for (const id of oddKeys.filter((key) => key !== "")) {
    const { ask, node } = await cluster("broadcast", id);
    const topology = (text: string) => ask(`{"type":"topology","msg_id":2,"topology":${text}}`);
    assertMatch(await topology(`{"${id}":5}`), /"code":12/);
    assertMatch(await topology(`{}`), /"topology_ok"/);
    assertMatch(await topology(`{"${id}":["${id}"]}`), /"topology_ok"/);
    assertEquals(node.id, id);
    await settle();
  }
});

Deno.test("an object with any keys is neither a list nor a number", async () => {
  const { ask } = await cluster("kafka");
  for (const offsets of ["[]", "1.0", "null", '"a"', "[1]"]) {
    const reply = await ask(`{"type":"poll","msg_id":2,"offsets":${offsets}}`);
    assertMatch(reply, /"code":12,"text":"Malformed poll: offsets: Expected an object"/);
  }
});

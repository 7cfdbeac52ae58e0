import { assert, assertEquals } from "@std/assert";
import { isJsonObject, type Json } from "@eddy/maelstrom";
import { check, parseHistory, WORKLOADS } from "@eddy/workbench";
import { type History, type Op } from "@eddy/workbench/history.ts";
import { OpColumns } from "@eddy/workbench/op_columns.ts";
import { randomBelow, seededRandom } from "@eddy/workbench/random.ts";
import { HISTORIES, longHistory, workloadOf } from "./long_histories.ts";

Deno.test("a long history of each workload is valid, and has as many operations as were wanted", () => {
  for (const name of HISTORIES) {
    const history = parseHistory([...longHistory(name, 3000)].join(""));
    const workload = workloadOf(name);
    const report = check(history, { workload, consistencyModels: ["strict-serializable"] });
    assertEquals([report.valid, report.findings], [true, []], name);
    const begun = history.filter(({ type, process }) => type === "invoke" && Number(process) < 10);
    assertEquals(begun.length, 3000, name);
  }
});

Deno.test("a history of lin-kv has many keys, and the other has one", () => {
  const keys = (["lin-kv", "lin-kv-one-key"] as const).map((name) => {
    const history = parseHistory([...longHistory(name, 3000)].join(""));
    return new Set(history.map(({ value }) => (value as Json[])[0])).size;
  });
  assertEquals(keys, [10, 1]);
});

function columnsOf(ops: readonly Op[]): OpColumns {
  const columns = new OpColumns();
  for (const op of ops) columns.push(op);
  return columns;
}

Deno.test("a history in columns gets the report that it gets as an array, whatever is wrong with it", () => {
  for (const workload of WORKLOADS) {
    const ops = parseHistory([...longHistory(workload, 300)].join(""));
    const random = seededRandom(2, workload);
    for (let round = 0; round < 20; round++) {
      const changed = [...ops];
      for (let change = 0; change < round % 5; change++) {
        const [i, j] = [randomBelow(random, ops.length), randomBelow(random, ops.length)];
        const [one, other] = [changed[i], changed[j]];
        if (one === undefined || other === undefined) continue;
        changed[i] = { ...one, value: other.value };
      }
      const report = (history: History) =>
        JSON.stringify(check(history, { workload, consistencyModels: ["strict-serializable"] }));
      assertEquals(report(columnsOf(changed)), report(changed), `${workload} ${round}`);
    }
  }
});

/** Takes an element out of the last list of a value that has more than two. */
function shortened(value: Json): Json | undefined {
  if (Array.isArray(value)) {
    const place = value.findLastIndex((each) => shortened(each) !== undefined);
    if (place >= 0) return value.with(place, shortened(value[place] ?? null) ?? null);
    return value.length > 3 ? value.toSpliced(1, 1) : undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const [key, list] = Object.entries(value).find(([, each]) => shortened(each) !== undefined) ?? [];
  return key === undefined || list === undefined
    ? undefined
    : { ...value, [key]: shortened(list) ?? null };
}

Deno.test("what is wrong in a history too long to be kept as objects is found, each operation once", () => {
  for (
    const [workload, anomaly] of [["txn-list-append", "incompatible-order"], [
      "kafka",
      "int-poll-skip",
    ]] as const
  ) {
    const ops = parseHistory([...longHistory(workload, 66_000)].join(""));
    const place = ops.findIndex((op, i) =>
      i > ops.length - 500 && op.type === "ok" && op.f !== "assign" &&
      shortened(op.value) !== undefined
    );
    const op = ops[place];
    assert(op !== undefined);
    ops[place] = { ...op, value: shortened(op.value) ?? null };
    const { findings } = check(ops, { workload, consistencyModels: ["strict-serializable"] });
    const found = findings.find((finding) => finding.anomaly === anomaly);
    const names = findings.map(({ anomaly }) => anomaly).join();
    assert(found !== undefined, `${workload}: ${names}`);
    assert(found.ops.some(({ index }) => index === place), workload);
    assertEquals(new Set(found.ops.map(({ index }) => index)).size, found.ops.length);
  }
});

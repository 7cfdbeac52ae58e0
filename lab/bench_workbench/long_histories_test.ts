import { assertEquals } from "@std/assert";
import { check, parseHistory, WORKLOADS } from "@eddy/workbench";
import { longHistory } from "./long_histories.ts";

Deno.test("a long history of each workload is valid, and has as many operations as were wanted", () => {
  for (const workload of WORKLOADS) {
    const history = parseHistory([...longHistory(workload, 3000)].join(""));
    const report = check(history, { workload, consistencyModels: ["strict-serializable"] });
    assertEquals([report.valid, report.findings], [true, []], workload);
    const begun = history.filter(({ type, process }) => type === "invoke" && Number(process) < 10);
    assertEquals(begun.length, 3000, workload);
  }
});

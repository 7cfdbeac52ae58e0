import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  CYCLE_TYPES,
  EXISTENCE_TYPES,
  impliedAnomalies,
  impossibleModels,
  MODEL_NAMES,
  modelsRuledOut,
  parseConsistencyModels,
  prohibitedBy,
  weakestModels,
} from "./consistency_model.ts";

const sorted = (names: Iterable<string>): string[] => [...names].sort();

Deno.test("parseConsistencyModels takes commas with and without spaces, and aliases", () => {
  assertEquals(parseConsistencyModels("serializable,read-committed"), [
    "serializable",
    "read-committed",
  ]);
  assertEquals(parseConsistencyModels(" PL-2 , read-committed ,"), ["read-committed"]);
  assertEquals(parseConsistencyModels("strong-serializable"), ["strict-serializable"]);
});

Deno.test("parseConsistencyModels names what it does not know and what it accepts", () => {
  const error = assertThrows(() => parseConsistencyModels("serialisable"), Error, "serialisable");
  for (const name of MODEL_NAMES) assertStringIncludes(error.message, name);
  assertThrows(() => parseConsistencyModels(" , "), Error, "Expected a consistency model");
});

Deno.test("the prohibited sets are Elle's", () => {
  const uncommitted = ["G0", "PL-1-cycle-exists", "cyclic-versions", "duplicate-elements"];
  const committed = [
    ...uncommitted,
    ...["G1", "G1a", "G1b", "G1c", "PL-2-cycle-exists"],
    ...["dirty-update", "future-read", "incompatible-order"],
  ];
  assertEquals(sorted(prohibitedBy(["read-uncommitted"])), sorted(uncommitted));
  assertEquals(sorted(prohibitedBy(["read-committed"])), sorted(committed));
  assertEquals(sorted(prohibitedBy(["monotonic-atomic-view"])), sorted(committed));
  assertEquals(
    sorted(prohibitedBy(["cursor-stability"])),
    sorted([...committed, "lost-update", "G-cursor"]),
  );
  assertEquals(prohibitedBy(["strict-serializable"]).size, 57);
});

Deno.test("snapshot isolation allows G2-item, repeatable read allows internal", () => {
  const si = prohibitedBy(["snapshot-isolation"]);
  for (const name of ["internal", "lost-update", "G-single-item", "G-nonadjacent-item"]) {
    assert(si.has(name), name);
  }
  assert(!si.has("G2-item"));
  const rr = prohibitedBy(["repeatable-read"]);
  for (const name of ["G2-item", "G-single-item", "lost-update"]) assert(rr.has(name), name);
  assert(!rr.has("internal"));
  assert(!prohibitedBy(["serializable"]).has("G-single-item-process"));
  assert(!prohibitedBy(["strong-session-serializable"]).has("G0-realtime"));
});

Deno.test("what implies another anomaly is looked for before it", () => {
  for (const [i, type] of CYCLE_TYPES.entries()) {
    for (const weaker of impliedAnomalies([type])) {
      if (weaker !== type && CYCLE_TYPES.includes(weaker)) {
        assert(CYCLE_TYPES.indexOf(weaker) > i, `${type} implies ${weaker}`);
      }
    }
  }
});

Deno.test("an anomaly rules out models, the weakest of which are enough to name", () => {
  assertEquals(weakestModels(modelsRuledOut(["G0"])), ["read-uncommitted"]);
  assertEquals(sorted(weakestModels(modelsRuledOut(["G-single-item"]))), [
    "consistent-view",
    "repeatable-read",
  ]);
  assertEquals(weakestModels(modelsRuledOut(["G2-item"])), ["repeatable-read"]);
  assertEquals(weakestModels(modelsRuledOut(["G-single-item-realtime"])), [
    "strong-snapshot-isolation",
  ]);
  assertEquals(weakestModels(modelsRuledOut([])), []);
  assertEquals(impossibleModels(["strict-serializable"]), new Set(["strict-serializable"]));
});

Deno.test("each model forbids that a cycle breaks it, and weaker ones do not", () => {
  for (const [type, model] of EXISTENCE_TYPES) {
    const stronger = impossibleModels([model]);
    for (const name of MODEL_NAMES) {
      assertEquals(prohibitedBy([name]).has(type), stronger.has(name), `${name} and ${type}`);
    }
  }
  assertEquals(EXISTENCE_TYPES.size, 13);
});

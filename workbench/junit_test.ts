import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type ReportedRun, writeJunit } from "./junit.ts";

const right: ReportedRun = {
  workload: "lin-kv",
  name: "seed 4",
  valid: true,
  text: "",
  first: "",
  more: 0,
  replay: "eddy test --seed 4",
  path: "store/x",
  report: "store/x/report.html",
  figures: undefined,
  tookMs: 1500,
  timeLimitSeconds: 60,
};

Deno.test("a suite with a case a run: valid, invalid, unknown and not done", () => {
  const xml = writeJunit("eddy sweep", [
    right,
    { ...right, valid: false, text: "lost: 8\n  Seen in: 1 s" },
    { ...right, valid: "unknown", text: "It broke off", path: undefined },
    { ...right, valid: undefined, text: "Not done", tookMs: 0 },
  ], new Date(0));
  const figures = 'name="eddy sweep" tests="4" failures="1" errors="1" skipped="1" time="4.500"';
  assertEquals(xml.split(figures).length, 3);
  assertStringIncludes(xml, 'timestamp="1970-01-01T00:00:00.000"');
  assertStringIncludes(
    xml,
    '<testcase classname="lin-kv" name="lin-kv, seed 4" time="1.500">\n' +
      '<properties><property name="time-limit" value="60"/>' +
      '<property name="replay" value="eddy test --seed 4"/>' +
      '<property name="results" value="store/x"/>' +
      '<property name="report" value="store/x/report.html"/></properties>\n</testcase>',
  );
  assertStringIncludes(
    xml,
    '<failure message="lost: 8" type="INVALID">lost: 8\n  Seen in: 1 s\n' +
      "Replay with: eddy test --seed 4\nReport: store/x/report.html</failure>",
  );
  assertStringIncludes(xml, '<error message="It broke off" type="unknown">');
  assertStringIncludes(xml, '<skipped message="Not done"/>');
});

Deno.test("whatever a run's text is, the file is XML", () => {
  const hostile = ']]></failure>"<!-- &\u0000\u001b[2J\ud800\u202e' + "x".repeat(1e6);
  const names = { workload: hostile, name: hostile, replay: hostile, path: hostile };
  const xml = writeJunit(
    hostile,
    [{ ...right, ...names, valid: false, text: hostile }],
    new Date(0),
  );
  assertEquals(/[^\P{Cc}\n]|\p{Bidi_Control}|\p{Cs}/u.exec(xml), null);
  // Every tag is closed, in order, and nothing else is between < and >.
  const open: string[] = [];
  for (
    const [, slash, name = "", end] of xml.matchAll(/<(\/?)([a-z]+)(?: [a-z]+="[^"<>]*")*(\/?)>/g)
  ) {
    if (slash === "/") assertEquals(open.pop(), name);
    else if (end === "") open.push(name);
  }
  assertEquals(open, []);
  assertEquals(
    xml.replace(/<\?xml[^>]*>|<\/?[a-z]+(?: [a-z-]+="[^"<>]*")*\/?>/g, "").match(/[<>]/),
    null,
  );
  assertMatch(xml, /message="]]&gt;[^"]{500,600}\.\.\." /);
});

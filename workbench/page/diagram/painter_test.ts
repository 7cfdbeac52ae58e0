import { assert, assertEquals } from "@std/assert";
import { handmade } from "../../testing.ts";
import { messagesOf, reportOf } from "../testing.ts";
import { Brush } from "./brush.ts";
import { HappenedBefore } from "./causes.ts";
import { layColumns } from "./columns.ts";
import { ArrowIndex } from "./index.ts";
import { messageLabel } from "./labels.ts";
import { type DiagramFrame, paintFrame, rulerOf } from "./painter.ts";
import { segmentOf } from "./arrows.ts";
import { makeScene } from "./scene.ts";
import { Viewport } from "./viewport.ts";

/** A text that was written, and its middle. */
interface Written {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

/** How wide a letter is taken to be, in pixels. */
const LETTER_PX = 6;

/** A brush that notes what it writes. */
function notingBrush(width: number, height: number) {
  const written: Written[] = [];
  const context: unknown = new Proxy({
    measureText: (text: string) => ({ width: text.length * LETTER_PX }),
    fillText: (text: string, x: number, y: number) => written.push({ text, x, y }),
  } as Record<string, unknown>, { get: (of, name) => of[String(name)] ?? (() => {}) });
  const canvas = { getContext: () => context } as unknown as HTMLCanvasElement;
  const brush = new Brush(
    canvas,
    { of: () => "" } as unknown as ConstructorParameters<typeof Brush>[1],
  );
  [brush.width, brush.height] = [width, height];
  return { brush, written };
}

const messages = messagesOf(
  ["c4>n0", 0, 1, { type: "broadcast", message: 123456789, msg_id: 1 }],
  ["n0>n1", 1, "partition", { type: "element", value: 123456789 }],
  ["n1>n0", 1.5, "partition", { type: "element", value: 987654321 }],
  ["n0>c4", 2, 3, { type: "broadcast_ok", in_reply_to: 1 }],
);
const history = handmade(
  [0, "invoke", "broadcast", 123456789, { ms: 0, node: "n0" }],
  [0, "ok", "broadcast", 123456789, { ms: 3, node: "n0" }],
);

interface PaintSettings extends Partial<DiagramFrame> {
  readonly open?: ReadonlySet<number>;
}

/** Paints a run of three columns at some width. */
function painted(width: number, { open = new Set(), ...more }: PaintSettings = {}) {
  const scene = makeScene(reportOf(messages, history));
  const { axis, arrows } = scene;
  const frame: DiagramFrame = {
    scene,
    index: new ArrowIndex(arrows, axis.places),
    markPlaces: new Float64Array(),
    viewport: new Viewport(axis.start, axis.end, axis.minSpan),
    columns: layColumns(scene.lanes, new Set(), width, 0, open),
    matches: { messages: undefined, bars: undefined },
    relations: undefined,
    selectedBar: undefined,
    selectedMs: undefined,
    found: new Set(),
    isError: new Uint8Array(messages.length),
    labelOf: (place) => messageLabel(messages[place]?.body ?? ""),
    ...more,
  };
  const { brush, written } = notingBrush(width, 600);
  paintFrame(brush, frame);
  return { frame, written };
}

Deno.test("an operation's label is whole where there is room beside it", () => {
  const { written } = painted(380, { open: new Set([0]) });
  const texts = written.map(({ text }) => text);
  assert(texts.includes("broadcast 123456789"), texts.join());
  assertEquals(texts.filter((text) => text.startsWith("process")), ["process 0"]);
});

Deno.test("no label covers the cross of a lost message", () => {
  for (const width of [300, 380, 900]) {
    const { frame, written } = painted(width);
    const labels = written.filter(({ text }) => text.startsWith("elem"));
    assertEquals(labels.length, 2, String(width));
    for (const arrow of [1, 2]) {
      const cross = segmentOf(frame, rulerOf(frame.viewport, 600), arrow);
      assert(cross !== undefined);
      const covers = written.filter(({ text, x, y }) =>
        Math.abs(y - cross.y2) < 8 && x < cross.x2 + 4 && x + text.length * LETTER_PX > cross.x2 - 4
      );
      assertEquals(covers, [], String(width));
    }
  }
});

Deno.test("what a filter has chosen does not fade for what is selected", () => {
  const { events } = makeScene(reportOf(messages, history));
  const relations = new HappenedBefore(messages, events).relations(2);
  const texts = (all: Uint8Array | undefined) =>
    painted(900, { relations, matches: { messages: all, bars: undefined } }).written
      .map(({ text }) => text).filter((text) => /^(element|broadcast_ok)/.test(text));
  assertEquals(texts(undefined), ["element 987654321"]);
  const chosen = texts(Uint8Array.of(0, 1, 1, 1));
  assertEquals(chosen.toSorted(), ["broadcast_ok", "element 123456789", "element 987654321"]);
});

import { assertEquals } from "@std/assert";
import { STYLE } from "./style.ts";

/** The colours by name, each for a light and for a dark page. */
const colours = new Map(
  Array.from(
    STYLE.matchAll(/(--[\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g),
    ([, name = "", light = "", dark = ""]) => [name, [light, dark]] as const,
  ),
);

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** WCAG 2.2, contrast ratio. */
function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ["--page", "--card", "--fault"];
/** Lines and surfaces, which are no text and carry no meaning alone. */
const SURFACES = [...GROUNDS, "--line", "--grid", "--placed"];
/** Shapes that carry meaning, for which AA asks 3 : 1. */
const SHAPES = ["--other", "--fault-edge"];

Deno.test("texts and signs have the contrast of WCAG AA on every ground, light and dark", () => {
  const low = [...colours].flatMap(([name, shades]) => {
    if (SURFACES.includes(name)) return [];
    const least = SHAPES.includes(name) ? 3 : 4.5;
    return GROUNDS.flatMap((ground) =>
      shades.flatMap((shade, i) => {
        const ratio = contrast(shade, colours.get(ground)?.[i] ?? shade);
        return ratio < least ? [`${name} on ${ground}: ${ratio.toFixed(2)}`] : [];
      })
    );
  });
  assertEquals(low, []);
  assertEquals(colours.size > 15, true);
});

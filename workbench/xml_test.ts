import { assertEquals } from "@std/assert";
import { escapeXml, xmlElement } from "./xml.ts";

Deno.test("text has nothing that XML forbids, ends it, or turns it around", () => {
  const hostile = "]]><x y='z'>&amp;\u0000\u001b\u009b\ud800\ufffe\u202e\n\té";
  assertEquals(
    escapeXml(hostile),
    "]]&gt;&lt;x y='z'&gt;&amp;amp;" + "\ufffd".repeat(6) + "\n\té",
  );
});

Deno.test("an element: attributes keep line ends, and leave out what is undefined", () => {
  assertEquals(
    xmlElement("a", { b: 'x"\n', c: undefined, d: 1.5 }),
    '<a b="x&quot;&#10;" d="1.5"/>',
  );
  assertEquals(xmlElement("a", {}, "<b/>"), "<a><b/></a>");
});

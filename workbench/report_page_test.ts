import { assertEquals } from "@std/assert";
import { writePage } from "./report_page.ts";

Deno.test("a page's loader unpacks what the page has, of any length", async () => {
  const texts = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`t${i}`, "<é\u0000\u2028".repeat(i * i)]),
  );
  const page = await writePage({ title: "x", body: "", code: "", texts });
  const scripts = Array.from(page.matchAll(/<script>([^]*?)<\/script>/g), ([, code]) => code ?? "");
  assertEquals(scripts.length, 1);
  const [loader = ""] = (scripts[0] ?? "").split("unpackText(document");
  const unpack = new Function("globalThis", `${loader}; return globalThis.unpackText;`)({});
  const parts = [...page.matchAll(/id="part-(t\d+)">([^]*?)<\/script>/g)];
  assertEquals(parts.length, 40);
  for (const [, name = "", packed] of parts) assertEquals(await unpack(packed), texts[name], name);
});

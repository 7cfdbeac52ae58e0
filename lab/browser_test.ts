import { assertEquals, assertStringIncludes } from "@std/assert";
import { openPage, testInBrowser } from "./browser.ts";

async function openText(html: string) {
  const path = await Deno.makeTempFile({ suffix: ".html" });
  await Deno.writeTextFile(path, html);
  try {
    return await openPage(path, { colorScheme: "dark", width: 400 });
  } finally {
    await Deno.remove(path);
  }
}

testInBrowser("a page that complains of nothing and asks for nothing says so", async () => {
  const { page, problems, requests } = await openText(
    "<script>document.title = `${innerWidth} ${matchMedia('(prefers-color-scheme: dark)').matches}`</script>",
  );
  assertEquals([await page.title(), problems, requests], ["400 true", [], []]);
});

testInBrowser("errors, refusals of a policy and requests are collected", async () => {
  const policy = `<meta http-equiv="Content-Security-Policy" content="img-src 'none'">`;
  const { page, problems, requests } = await openText(
    `${policy}<img src="https://one.invalid/"><script src="https://two.invalid/"></script>` +
      "<script>console.error('three'); no.such</script>",
  );
  await page.waitForLoadState();
  const said = problems.join("\n");
  for (const sign of ["one.invalid", "three", "no is not defined"]) {
    assertStringIncludes(said, sign);
  }
  assertEquals(requests, ["https://one.invalid/", "https://two.invalid/"]);
});

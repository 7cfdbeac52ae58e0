import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path/join";
import { inTempDir } from "./cli/testing.ts";
import { writeWhole } from "./whole_file.ts";

/** The names in a folder, in order. */
function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("a file is replaced, never written in place, and leaves nothing beside it", async () => {
  await inTempDir(async (dir) => {
    const [file, before] = [join(dir, "page.html"), join(dir, "before")];
    writeWhole(file, "old");
    // A second name of the old file shows whether that is what is written.
    await Deno.link(file, before);
    writeWhole(file, "new");
    assertEquals([Deno.readTextFileSync(file), Deno.readTextFileSync(before)], ["new", "old"]);
    assertEquals(namesIn(dir), ["before", "page.html"]);
  });
});

Deno.test("what cannot be written leaves what was there, and nothing beside it", async () => {
  await inTempDir(async (dir) => {
    await Deno.mkdir(join(dir, "folder"));
    for (const name of ["folder", "no/page.html"]) {
      const error = assertThrows(() => writeWhole(join(dir, name), "new"), Error);
      assertEquals([error.message === "", /tmp|os error/.test(error.message)], [false, false]);
    }
    assertEquals(namesIn(dir), ["folder"]);
  });
});

Deno.test("a link is written through, and remains a link", async () => {
  await inTempDir(async (dir) => {
    const [file, link] = [join(dir, "page.html"), join(dir, "latest.html")];
    writeWhole(file, "old");
    await Deno.symlink(file, link);
    writeWhole(link, "new");
    assertEquals([Deno.readTextFileSync(file), Deno.lstatSync(link).isSymlink], ["new", true]);
  });
});

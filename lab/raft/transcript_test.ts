import { assertEquals } from "@std/assert";
import { perform } from "./transcript.ts";

for (const name of ["figure_6", "figure_7", "figure_8_c_d", "figure_8_e", "lost_messages"]) {
  Deno.test(`${name} goes as it is written down`, async () => {
    const url = new URL(`testdata/${name}.txt`, import.meta.url);
    const transcript = (await Deno.readTextFile(url)).trimEnd();
    assertEquals(perform(transcript), transcript);
  });
}

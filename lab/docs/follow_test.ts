/** That following a page refuses what its reader would not see, and ends whatever a page does. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path/join";
import { allPages, follow, type FollowOptions } from "./follow.ts";

/** A page of shell blocks, in each of whose first lines are its marks; ' stands for a backquote. */
function pageOf(...blocks: string[]) {
  const markdown = blocks.map((block) => `'''${block}\n'''\n`).join("\n").replaceAll("'''", "```");
  return { path: "docs/page.md", markdown };
}

/** Follows a page that must fail. */
function followWrong(blocks: readonly string[], options?: FollowOptions): Promise<Error> {
  return assertRejects(() => follow(pageOf(...blocks), options), Error);
}

/** The files of processes that have an argument; a pattern, so that the search does not find itself. */
async function processesWith(argument: string): Promise<string> {
  const args = ["-c", `grep -lzx '${argument}' /proc/[0-9]*/cmdline`];
  const { stdout } = await new Deno.Command("sh", { args, stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("a block that hangs is ended, with what it has started", async () => {
  const blocks = [
    "sh run\nsleep 41001",
    "sh run\nsleep 41001 | cat",
    "sh run\ntrap '' TERM INT; sleep 41001; sleep 41001",
    "sh run\nsetsid sleep 41001",
    "sh run\n(setsid sleep 41001 >/dev/null 2>&1 &)\nsleep 41001",
    "sh run fails\nwhile true; do sleep 41001; done",
  ];
  await Promise.all(blocks.map(async (block) => {
    const { message } = await followWrong([block], { limitMs: 300 });
    assertMatch(message, /^docs\/page\.md:1: The block took longer than 0\.3 s/, block);
  }));
  assertEquals(await processesWith("4100[1]"), "");
});

Deno.test("a block that prints without end is ended, and little of it is shown", async () => {
  const { message } = await followWrong(["sh run\nyes"]);
  assertMatch(message, /printed more than 4000000 bytes/);
  assert(message.length < 3000);
});

Deno.test("nothing of a block goes on after its end", async () => {
  await follow(pageOf("sh run\n(sleep 41002 &)", "sh run\n(setsid sleep 41002 >/dev/null 2>&1 &)"));
  assertEquals(await processesWith("4100[2]"), "");
});

Deno.test("a signal ends the block that runs, and leaves no folder", async () => {
  const before = Deno.makeTempDirSync();
  const { message } = await followWrong([`sh run\npwd >'${before}/at'; sleep 41003`], {
    signal: AbortSignal.timeout(500),
  });
  assertMatch(message, /The block was interrupted/);
  const folder = (await Deno.readTextFile(join(before, "at"))).trimEnd();
  await assertRejects(() => Deno.stat(folder), Deno.errors.NotFound);
  await Deno.remove(before, { recursive: true });
});

Deno.test("a line marked invalid must itself say what was found, and end with 1", async () => {
  const finds = "{ echo 'lost: 1'; false; }";
  await follow(pageOf(`sh run\n${finds}   # invalid: lost\ntrue`));
  const wrong = [
    ["{ echo 'Replay with --bin lost: 1'; false; }   # invalid: lost", /did not find lost/],
    ["{ echo 'lost-write: 1'; false; }   # invalid: lost", /did not find lost/],
    [`${finds}   # invalid: lost\nfalse   # invalid: lost`, /did not find lost/],
    ["echo 'lost: 1'   # invalid: lost", /ended with 0, not 1/],
    ["{ echo 'lost: 1'; exit 2; }   # invalid: lost", /ended with 2, not 1/],
  ] as const;
  for (const [text, message] of wrong) {
    assertMatch((await followWrong([`sh run\n${text}`])).message, message, text);
  }
});

Deno.test("of a block that fails only the last command may, which may be of several lines", async () => {
  await follow(pageOf("sh run fails\ntrue\nfalse"));
  await follow(pageOf("sh run fails\ntrue\nbash -c \\\n  'exit 1'\n# A comment\n"));
  await follow(pageOf("sh run fails\nfor i in 1 2; do\n  false\ndone"));
  const wrong = [
    ["false\necho x", /ended with 1 before its last command/],
    ["false\nfalse", /ended with 1 before its last command/],
    ["false\nbash -c \\\n  'exit 1'", /ended with 1 before its last command/],
    ["exit 1\nfalse", /ended with 1 before its last command/],
    ["false\ntrue", /before its last command/],
    ["true", /ended with 0, not 1/],
    ["bash -c 'exit 2'", /ended with 2, not 1/],
  ] as const;
  for (const [text, message] of wrong) {
    assertMatch((await followWrong([`sh run fails\n${text}`])).message, message, text);
  }
});

Deno.test("every command of another block must end with 0, and the shell come to the end", async () => {
  const wrong = [
    ["false\ntrue", /ended with 1 before its end/],
    ["false | cat", /ended with 1 before its end/],
    ["exit 0\ntrue", /ended with 0 before its end/],
    ["exec true", /ended with 0 before its end/],
    ["false &", /left in the background/],
    ["if true", /syntax error/],
  ] as const;
  for (const [text, message] of wrong) {
    assertMatch((await followWrong([`sh run\n${text}`])).message, message, text);
  }
  await follow(pageOf("sh run\ntrap - EXIT"));
});

Deno.test("a page stays in its folder", async () => {
  await follow(pageOf("sh run\nmkdir a; cd a", "ts file=b.ts\n1", "sh run\ntest -f b.ts; cd .."));
  const wrong = [
    ["sh run\ncd /", /The block ends in \/, outside the page's folder/],
    ['sh run\nrm -r "$PWD"', /The block has removed its folder/],
    ["sh run\nrm -r ../*", /ended with 0 before its end/],
  ] as const;
  for (const [block, message] of wrong) {
    const error = await followWrong([block, "ts file=b.ts\n1"]);
    assertMatch(error.message, message, block);
    assertMatch(error.message, /^docs\/page\.md:1: /);
  }
  assertMatch((await followWrong(["ts file=a/b.ts\n1"])).message, /^docs\/page\.md:1: .*a\/b\.ts/);
});

Deno.test("what a block printed is compared with what the page shows, and little of it shown", async () => {
  const { skipped } = await follow(pageOf("sh run\necho a; echo b >&2", "text output\na\nb"));
  assertEquals(skipped, []);
  const { message } = await followWrong(["sh run\nseq 100000", "text output\nx"]);
  assertMatch(
    message,
    /^docs\/page\.md:5: The page shows a line that was not printed there: x\n1\n/,
  );
  assert(message.length < 3000);
});

Deno.test("a page with a block that is not marked is not followed", async () => {
  const { message } = await followWrong(["sh run\ntrue", "bash\nfalse"]);
  assertMatch(message, /^docs\/page\.md: .* the block at line 5 .* bash/);
});

Deno.test("all pages are read, whatever their names, but for those that were removed", async () => {
  const folder = await Deno.makeTempDir();
  const script =
    "git init --quiet; echo x | tee 'a b.md' ü.md c#d.md gone.md; git add .; rm gone.md";
  await new Deno.Command("sh", { args: ["-ec", script], cwd: folder }).output();
  const pages = await allPages(folder);
  assertEquals(pages.map(({ path }) => path), ["a b.md", "c#d.md", "ü.md"]);
  await Deno.remove(folder, { recursive: true });
});

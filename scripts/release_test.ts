import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { changelogProblems, checksumsOf, isSemantic, releaseProblems } from "./release.ts";
import { projectPath } from "./support.ts";

Deno.test("versions are those of Semantic Versioning", () => {
  const right = ["0.1.0", "1.0.0-rc.1", "10.20.30+build.5", "1.0.0--", "1.0.0-0a.x-y"];
  const wrong = ["1.0", "v1.0.0", "1.0.0-", "01.0.0", "1.0.0-01", "1.0.0 ", "1.0.0+", "1.0.0.0"];
  assertEquals([...right, ...wrong].filter(isSemantic), right);
});

const CHANGELOG = `# Changelog

## [Unreleased]

## [1.2.0] - 2026-02-28

### Added

- A change.

## [1.1.0] - 2025-01-01
`;

Deno.test("a changelog must have the version, with a date and with changes", () => {
  const nowMs = Date.parse("2026-02-27T11:00Z");
  const problems = (text: string, version = "1.2.0") => changelogProblems(text, version, nowMs);
  assertEquals(problems(CHANGELOG), []);
  assertEquals(problems(CHANGELOG, "1.3.0"), [
    "CHANGELOG.md has no section, such as: ## [1.3.0] - 2026-01-31",
  ]);
  assertEquals(problems(CHANGELOG, "1.1.0"), ["CHANGELOG.md has no changes in [1.1.0]"]);
  assertEquals(problems(CHANGELOG.replace("[Unreleased]\n", "[Unreleased]\n\n- Another.\n")), [
    "CHANGELOG.md has changes in [Unreleased], and not in [1.2.0]",
  ]);
  for (const date of ["", "2026-02-30", "28.2.2026", "2026-03-01", "9999-01-01"]) {
    const said = `${JSON.stringify(date)} for the date of [1.2.0]: ` +
      "expected year-month-day, not in the future";
    const written = date === "" ? "" : ` - ${date}`;
    assertEquals(problems(CHANGELOG.replace(" - 2026-02-28", written)), [
      `CHANGELOG.md has ${said}`,
    ]);
  }
  assertEquals(problems("# Changes\n\n## Unreleased\n\n- A change.\n"), [
    "CHANGELOG.md has no section [Unreleased]",
    "CHANGELOG.md has no section, such as: ## [1.2.0] - 2026-01-31",
  ]);
});

Deno.test("only words are changes, a version has one section, and [Unreleased] is above", () => {
  const problems = (text: string) => changelogProblems(text, "1.2.0", Date.parse("2026-03-01"));
  const others = [
    ["<!-- - A change. -->", "<!--\n- A change.\n-->", "[1.2.0]: https://example.org"],
    ["# Changed", "# Other\n\n- A change.", "- ", "---", "## Words\n\n- A change."],
  ].flat();
  for (const text of others) {
    assertEquals(problems(CHANGELOG.replace("- A change.", text)), [
      "CHANGELOG.md has no changes in [1.2.0]",
    ], text);
  }
  assertEquals(problems(CHANGELOG.replace("- A change.", "The first version.")), []);
  assertEquals(problems(CHANGELOG.replace("1.1.0", "1.2.0")), [
    "CHANGELOG.md has more than one section [1.2.0]",
  ]);
  const below = CHANGELOG.replace("## [Unreleased]\n", "") + "\n## [Unreleased]\n";
  assertEquals(problems(below), [
    "CHANGELOG.md has [Unreleased] below a version: expected it above all",
  ]);
});

async function inTempDir(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "eddy-release-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A project of two packages, whose files are in no commit yet. */
async function writeProject(folder: string): Promise<void> {
  const files = {
    "deno.json": JSON.stringify({ version: "1.2.0", workspace: ["./one", "./two"] }),
    "one/deno.json": JSON.stringify({ version: "1.2.0" }),
    "two/deno.json": JSON.stringify({ version: "1.2.0" }),
    "CHANGELOG.md": CHANGELOG,
  };
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(join(folder, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(folder, path), text);
  }
}

async function git(folder: string, ...args: string[]): Promise<void> {
  const name = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
  const command = new Deno.Command("git", { args: [...name, ...args], cwd: folder });
  const { code, stderr } = await command.output();
  assertEquals([args, code], [args, 0], new TextDecoder().decode(stderr));
}

Deno.test("a release needs one version everywhere, no changes, and its tag on no other commit", async () => {
  await inTempDir(async (folder) => {
    await writeProject(folder);
    assertEquals(await releaseProblems(folder), ["Cannot run git status in the project's folder"]);
    await git(folder, "init", "--quiet");
    await git(folder, "add", ".");
    await git(folder, "commit", "--quiet", "--message", "Begin");
    assertEquals(await releaseProblems(folder), []);
    await git(folder, "tag", "v1.2.0");
    assertEquals(await releaseProblems(folder), []);

    await Deno.writeTextFile(join(folder, "ü\u001b[1m"), "");
    assertEquals(await releaseProblems(folder), [
      'The working tree has a change that is in no commit: "ü\\033[1m"',
    ]);
    await Deno.remove(join(folder, "ü\u001b[1m"));
    await Deno.writeTextFile(join(folder, "two/deno.json"), '{ "version": "1.1.0" }');
    const different = 'two/deno.json has the version "1.1.0", and deno.json "1.2.0"';
    assertEquals(await releaseProblems(folder), [
      different,
      "The working tree has a change that is in no commit: two/deno.json",
    ]);
    await git(folder, "commit", "--quiet", "--all", "--message", "Go on");
    const [first, second = "", ...more] = await releaseProblems(folder);
    assertEquals([first, more], [different, []]);
    assertStringIncludes(second, "The tag v1.2.0 is on another commit, ");

    await Deno.writeTextFile(join(folder, "deno.json"), '{ "version": "1.2", "workspace": [] }');
    assertStringIncludes(
      (await releaseProblems(folder)).join("\n"),
      'deno.json has the version "1.2": expected one such as 1.2.3',
    );
  });
});

Deno.test("checksums are those that sha256sum writes", async () => {
  await inTempDir(async (folder) => {
    await Deno.writeTextFile(join(folder, "b"), "abc");
    await Deno.writeTextFile(join(folder, "a b"), "");
    await Deno.writeTextFile(join(folder, "SHA256SUMS"), "those of an earlier release");
    // Both are test vectors of FIPS 180-4.
    assertEquals(
      await checksumsOf(folder),
      `e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a b
ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b
`,
    );
  });
});

Deno.test("all packages of the project have its version, which is semantic", async () => {
  const problems = await releaseProblems(projectPath("."));
  assertEquals(problems.filter((problem) => problem.includes("the version")), []);
});

Deno.test("wrong flags of the release get one sentence", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", projectPath("scripts/release.ts"), "--skip-check"],
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  assertEquals([code, stdout.length], [2, 0]);
  assertEquals(
    new TextDecoder().decode(stderr),
    "Unknown option --skip-check (did you mean --skip-checks?): accepted are --skip-checks, --help\n",
  );
});

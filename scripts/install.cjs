// The script of the npm package's installation: puts the launcher for a shell in the place of that for
// Node.js. Where it does not run, as on Windows, or where npm runs no scripts, that one stays.
"use strict";

const { spawnSync } = require("node:child_process");
const { chmodSync, copyFileSync, renameSync } = require("node:fs");
const { join } = require("node:path");

const [launcher, command] = ["eddy.sh", "eddy.cjs"].map((name) => join(__dirname, name));
try {
  const { status } = spawnSync(launcher, ["--version"], { stdio: "ignore", timeout: 30_000 });
  if (status === 0) {
    // What is renamed is a file of its own: package managers link one file into many projects.
    copyFileSync(launcher, `${command}.tmp`);
    chmodSync(`${command}.tmp`, 0o755);
    renameSync(`${command}.tmp`, command);
  }
} catch {
  // The launcher for Node.js needs nothing of this.
}

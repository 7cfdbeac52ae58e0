#!/usr/bin/env node
// The command `eddy` of the npm package: runs the bundle beside it with the Deno that npm installed.
// Where there is a shell, `launcher.sh` takes its place.
"use strict";

const { spawn } = require("node:child_process");
const { existsSync } = require("node:fs");
const { constants } = require("node:os");
const { dirname, join } = require("node:path");

/** Deno's own program; its package's script finds it where npm ran no scripts at installation. */
function findDeno() {
  const folder = dirname(require.resolve("deno/package.json"));
  const file = join(folder, process.platform === "win32" ? "deno.exe" : "deno");
  return existsSync(file) ? file : require("deno/install_api.cjs").runInstall();
}

/** Passed on; a terminal sends the same to both, which the workbench takes for one. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

function start() {
  const bundle = join(__dirname, "..", "main.js");
  const args = ["run", "--quiet", "--allow-all", "--no-config", "--no-lock", bundle];
  const env = {
    ...process.env,
    EDDY_BIN: join(__dirname, "eddy.cjs"),
    EDDY_LAUNCHER: String(process.pid),
  };
  const child = spawn(findDeno(), [...args, ...process.argv.slice(2)], { stdio: "inherit", env });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.on("error", fail);
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    for (const each of SIGNALS) process.removeAllListeners(each);
    process.kill(process.pid, signal);
    // A signal that this process survives ends it as a shell would say.
    setTimeout(() => process.exit(128 + constants.signals[signal]), 100);
  });
}

function fail(error) {
  const [reason] = error.message.split("\n");
  process.stderr.write(`Cannot start Deno, which npm installs beside eddy: ${reason}\n`);
  process.exit(255);
}

try {
  start();
} catch (error) {
  fail(error);
}

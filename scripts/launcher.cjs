#!/usr/bin/env node
// The command `eddy` of the npm package: runs the bundle beside it with the Deno that npm installed.
"use strict";

const { spawn } = require("node:child_process");
const { existsSync, realpathSync } = require("node:fs");
const { constants } = require("node:os");
const { delimiter, dirname, join, resolve } = require("node:path");

/** Deno's own program; its package's script finds it where npm ran no scripts at installation. */
function findDeno() {
  const folder = dirname(require.resolve("deno/package.json"));
  const file = join(folder, process.platform === "win32" ? "deno.exe" : "deno");
  return existsSync(file) ? file : require("deno/install_api.cjs").runInstall();
}

function isThisFile(path) {
  try {
    return realpathSync(path) === realpathSync(__filename);
  } catch {
    return false;
  }
}

/** The words that call this command here, for the lines that it prints to be pasted. */
function commandName() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const onPath = folders.filter((folder) => folder !== "" && !folder.endsWith(BIN));
  if (onPath.some((folder) => isThisFile(join(folder, "eddy")))) return "eddy";
  for (let at = process.cwd();; at = dirname(at)) {
    if (isThisFile(join(at, BIN, "eddy"))) return "npx eddy";
    if (at === dirname(at)) break;
  }
  const path = resolve(__filename);
  return /^[\w./,:=@+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

const BIN = join("node_modules", ".bin");

/** Passed on; a terminal sends the same to both, which the workbench takes for one. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

function start() {
  const bundle = join(__dirname, "..", "packed.js");
  const args = ["run", "--quiet", "--allow-all", "--no-config", "--no-lock", bundle];
  const env = {
    ...process.env,
    EDDY_COMMAND: commandName(),
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

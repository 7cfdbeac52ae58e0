/**
 * What of a sweep's command line goes to other machines.
 */

import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "@eddy/maelstrom/flags";
import { checkSent, ownArgs, sentArgs } from "./fleet_args.ts";

Deno.test("sent: what decides a run, and nothing of the machine that waits", () => {
  assertEquals(
    sentArgs([
      ...["-w", "echo", "--nats", "nats://u:secret@host", "--creds=f", "--tlsca", "ca.pem"],
      ...["--json", "--seeds=5", "--store", "mine", "--color", "never", "--jobs", "2", "--disk"],
      ...["--no-shrink", "--vary", "latency=0,1", "--junit=x", "--no-ssh", "--username", "me"],
      ...["--", "--json", "--store"],
    ]),
    [
      ...["-w", "echo", "--seeds=5", "--disk", "--vary", "latency=0,1", "--", "--json", "--store"],
    ],
  );
  assertEquals(sentArgs(["--steer", "--rate", "1"]), ["--steer", "--rate", "1"]);
});

Deno.test("sent: what needs files of one machine, or makes parts itself, is refused", () => {
  const refused: [args: string[], why: string][] = [
    [["--shard", "1/2"], "Cannot use --shard over NATS: the parts are made by themselves"],
    [["--nodes-file", "f"], "Cannot use --nodes-file over NATS: files are not sent"],
    [["--vary", "nodes-file=a,b"], "Cannot use --nodes-file over NATS: files are not sent"],
    [["--bin", "a.ts", "--real-time"], "Cannot use --real-time over NATS: a program that runs"],
    [["--no-such"], "Unknown option --no-such"],
  ];
  for (const [args, why] of refused) assertThrows(() => sentArgs(args), UsageError, why);
});

Deno.test("sent: a worker takes no more than that", () => {
  const refused: [args: string[], why: string][] = [
    [["--store", "/x"], "Cannot use --store over NATS: it is not sent"],
    [["--nats", "other"], "Cannot use --nats over NATS: it is not sent"],
    [["--junit", "/x"], "Cannot use --junit over NATS: it is not sent"],
    [["word"], 'Unexpected argument "word"'],
  ];
  for (const [args, why] of refused) assertThrows(() => checkSent(args), UsageError, why);
  checkSent(["-w", "echo", "--seeds", "3", "--", "anything"]);
});

Deno.test("what repeats a run on one machine names no server", () => {
  const args = [
    "-w",
    "echo",
    "--nats",
    "nats://h",
    "--creds=c",
    "--store",
    "s",
    "--",
    "--nats",
    "x",
  ];
  assertEquals(ownArgs(args), ["-w", "echo", "--store", "s", "--", "--nats", "x"]);
});

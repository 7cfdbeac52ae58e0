import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path/join";
import { command, inTempDir } from "./testing.ts";

/** More than a connection takes that nobody reads from. */
const LARGE = 64 << 20;

/** Serves a store, and returns the first line that it prints and how it ends. */
async function serving(
  host: string,
  use: (port: number) => Promise<void>,
): Promise<{ line: string; code: number }> {
  let line = "";
  let code = -1;
  await inTempDir(async (dir) => {
    await Deno.mkdir(join(dir, "store/echo/run"), { recursive: true });
    const file = await Deno.create(join(dir, "store/echo/run/large"));
    await file.truncate(LARGE);
    file.close();
    const child = command(["serve", "--host", host, "--port", "0"], dir).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    while (!line.endsWith("\n")) line += (await lines.read()).value ?? "\n";
    await use(Number(/:(\d+)\/ /.exec(line)?.[1]));
    child.kill("SIGINT");
    ({ code } = await child.status);
    await lines.cancel();
    await child.stderr.cancel();
  });
  return { line, code };
}

Deno.test("serve: an interrupt ends it, though a client does not read what it asked for", async () => {
  const connections: Deno.Conn[] = [];
  const { code } = await serving("127.0.0.1", async (port) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connections.push(connection);
    const request = `GET /runs/echo/run/large HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    // It has begun to answer.
    await connection.read(new Uint8Array(16));
  });
  for (const connection of connections) connection.close();
  assertEquals(code, 0);
});

Deno.test("serve: an IPv6 address that has its brackets gets no others", async () => {
  const { line, code } = await serving("[::1]", () => Promise.resolve());
  assertMatch(line, / at http:\/\/\[::1\]:\d+\/ /);
  assertEquals(code, 0);
});

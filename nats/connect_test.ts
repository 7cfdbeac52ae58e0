/**
 * Connections: who is let in, and what is said where nobody is.
 */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { UsageError } from "@eddy/maelstrom/flags";
import { join } from "@std/path/join";
import { type ConnectFlags, connectTo } from "./connect.ts";
import { hasServer, NatsServer } from "./testing.ts";

Deno.test("connect: what cannot be used is refused by the flag's name", async () => {
  const refused: [flags: ConnectFlags, why: string][] = [
    [{ nats: undefined }, "Cannot connect: --nats names no server"],
    [{ nats: " , " }, "Cannot connect: --nats names no server"],
    [{ nats: "a", creds: "/no/such" }, "Cannot read --creds /no/such: "],
    [{ nats: "a", tlsca: "/" }, "Cannot read --tlsca /: it is no file"],
  ];
  for (const [flags, why] of refused) {
    await assertRejects(() => connectTo(flags, "test"), UsageError, why);
  }
});

Deno.test("connect: without a server the error names it, and no password", async () => {
  const error = await assertRejects(() =>
    connectTo({ nats: "nats://u:secret@127.0.0.1:1" }, "test")
  );
  assertMatch(String(error), /^Error: Cannot connect to the NATS server nats:\/\/127\.0\.0\.1:1: /);
  assertEquals(String(error).includes("secret"), false);
});

Deno.test({
  name: "connect: a user with a password is let in, another is not",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start({ args: ["--user", "u", "--pass", "p:/w"] });
    const connection = await connectTo(
      { nats: `nats://u:p%3A%2Fw@127.0.0.1:${server.port}` },
      "test",
    );
    await connection.flush();
    await connection.close();
    await assertRejects(() => connectTo({ nats: server.url }, "test"), Error, "Cannot connect");
  },
});

/** Makes a certificate for the loopback that signs itself; undefined where there is no openssl. */
async function selfSigned(folder: string): Promise<{ cert: string; key: string } | undefined> {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const made = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
      ...["-keyout", key, "-out", cert, "-days", "2"],
    ],
    stdout: "null",
    stderr: "null",
  }).output().then(({ success }) => success, () => false);
  return made ? { cert, key } : undefined;
}

Deno.test({
  name: "connect: TLS, with the certificate that is to be trusted and with none",
  ignore: !hasServer,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "eddy-tls-" });
    try {
      const files = await selfSigned(folder);
      if (files === undefined) return;
      const args = ["--tls", "--tlscert", files.cert, "--tlskey", files.key];
      await using server = await NatsServer.start({ args });
      const connection = await connectTo({ nats: server.url, tlsca: files.cert }, "test");
      await connection.flush();
      await connection.close();
      const error = await assertRejects(() => connectTo({ nats: server.url }, "test"), Error);
      assertMatch(error.message, /^Cannot connect to the NATS server .*certificate/i);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

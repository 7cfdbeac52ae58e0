import { assertEquals } from "@std/assert";
import { connect } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { hasServer, NatsServer } from "./testing.ts";

Deno.test({
  name: "a server is there for a test, with JetStream, also again on what it has kept",
  ignore: !hasServer,
  async fn() {
    await using first = await NatsServer.start();
    const connection = await connect({ servers: first.url });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: "kept", subjects: ["kept.>"] });
    await connection.close();
    await first.stop("SIGKILL");
    await using again = await NatsServer.start({ folder: first.folder, port: first.port });
    const other = await connect({ servers: again.url });
    assertEquals((await (await jetstreamManager(other)).streams.info("kept")).config.name, "kept");
    await other.close();
  },
});

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CommandProcess, connectForTest, until } from "./cluster_testing.ts";
import { hasServer, NatsServer } from "./testing.ts";

const nodes = ["n1", "n2", "n3"];

async function callNode(server: NatsServer, ...args: string[]) {
  await using process = new CommandProcess(["call", "--nats", server.url, ...args]);
  return await process.result();
}

Deno.test({
  name: "three lin-kv nodes as processes answer requests from a shell, and end when told to",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const flags = ["--nats", server.url, "--nodes", nodes.join(), "--cluster", "blue"];
    const starts = nodes.map((name) =>
      CommandProcess.ready(["lin-kv", ...flags, "--name", name, "--max-latency", "1"])
    );
    await using n1 = await starts[0] as CommandProcess;
    await using n2 = await starts[1] as CommandProcess;
    await using n3 = await starts[2] as CommandProcess;
    const ask = async (node: string, body: string) => {
      const { code, stdout, stderr } = await callNode(server, "--cluster", "blue", node, body);
      return { code, stderr, reply: stdout === "" ? undefined : JSON.parse(stdout) };
    };
    const write = await ask("n1", '{"type":"write","key":1,"value":"a"}');
    assertEquals([write.code, write.reply.type], [0, "write_ok"]);
    const read = await ask("n2", '{"type":"read","key":1,"msg_id":7}');
    assertEquals([read.reply.value, read.reply.in_reply_to], ["a", 7]);
    const cas = await ask("n3", '{"type":"cas","key":1,"from":"a","to":2}');
    assertEquals(cas.reply.type, "cas_ok");
    const failed = await ask("n1", '{"type":"cas","key":1,"from":"a","to":3}');
    assertEquals([failed.code, failed.reply.code], [1, 22]);
    const nobody = await ask("n4", '{"type":"read","key":1}');
    assertEquals([nobody.code, nobody.stderr], [255, "No node n4 in cluster blue\n"]);

    const second = new CommandProcess(["lin-kv", ...flags, "--name", "n2"]);
    const { code, stderr } = await second.result();
    assertEquals(code, 255);
    assertMatch(stderr, /Cannot serve n2 in cluster blue: another process does already/);
    for (const process of [n1, n2, n3]) {
      const result = await process.end("SIGTERM");
      assertEquals([result.code, result.stdout], [0, ""], result.stderr);
    }
  },
});

Deno.test({
  name: "a request that nobody answers in time, and one that is no request, end a call",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const connection = await connectForTest(server);
    // What takes requests and never answers.
    connection.subscribe("eddy.eddy.n1.rpc", { callback() {} });
    await connection.flush();
    const silent = await callNode(server, "--timeout", "50", "n1", '{"type":"read"}');
    assertEquals(silent.code, 255);
    assertMatch(silent.stderr, /^No reply from n1 in 50 ms/);
    await connection.close();
    const wrong = [["n1"], ["n1", "{"], ["n1", "[]"], ["n.1", '{"type":"read"}'], [
      ...["n1", "{}", "--timeout", "0"],
    ]];
    const codes = await Promise.all(
      wrong.map(async (args) => (await callNode(server, ...args)).code),
    );
    assertEquals(codes, wrong.map(() => 254));
  },
});

Deno.test({
  name: "what was written survives a node's kill, if it keeps its data",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const folder = await Deno.makeTempDir({ prefix: "eddy-nats-data-" });
    const args = [
      ...["lin-kv", "--nats", server.url, "--name", "n1", "--nodes", "n1"],
      ...["--data", folder],
    ];
    try {
      const first = await CommandProcess.ready([...args, "--run", "a"]);
      const write = await callNode(server, "n1", '{"type":"write","key":1,"value":2}');
      assertEquals(write.code, 0, write.stderr);
      await first.end("SIGKILL");
      const refused = await new CommandProcess([...args, "--run", "b"]).result();
      assertEquals(refused.code, 3);
      await using _again = await CommandProcess.ready([...args, "--run", "a"]);
      const read = await callNode(server, "n1", '{"type":"read","key":1}');
      assertStringIncludes(read.stdout, '"value":2');
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "a node that was paused is cut off as a slow consumer, and is back when it goes on",
  ignore: !hasServer,
  async fn() {
    const config = await Deno.makeTempFile({ prefix: "eddy-nats-", suffix: ".conf" });
    await Deno.writeTextFile(config, 'max_pending: 2MB\nwrite_deadline: "200ms"\n');
    try {
      await using server = await NatsServer.start({ args: ["--config", config] });
      const args = ["echo", "--nats", server.url, "--name", "n1", "--nodes", "n1"];
      await using node = await CommandProcess.ready(args);
      const connection = await connectForTest(server);
      node.signal("SIGSTOP");
      const echo = "x".repeat(10_000);
      const text = JSON.stringify({ src: "c1", dest: "n1", body: { type: "echo", echo } });
      // More than the server keeps for it, and what fits the sockets' buffers.
      for (let sent = 0; sent < 3000; sent++) {
        connection.publish("eddy.eddy.n1", text);
        if (sent % 100 === 0) await connection.flush();
      }
      node.signal("SIGCONT");
      await until("it has noticed", () => node.stderr.includes("Reached the NATS server again"));
      const answer = await connection.request("eddy.eddy.n1.rpc", '{"type":"echo","echo":1}');
      assertStringIncludes(answer.string(), '"echo":1');
      await connection.close();
    } finally {
      await Deno.remove(config);
    }
  },
});

Deno.test({
  name: "a node whose server is away ends when it is told to",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const args = ["lin-kv", "--nats", server.url, "--name", "n1", "--nodes", "n1,n2,n3"];
    await using node = await CommandProcess.ready(args);
    await server.stop("SIGKILL");
    await until("it has noticed", () => node.stderr.includes("Lost the NATS server"));
    const { code, stderr } = await node.end("SIGINT");
    assertEquals(code, 0, stderr);
  },
});

Deno.test("a command line that names no node is refused, and help says what there is", async () => {
  const common = ["echo", "--nats", "nats://127.0.0.1:1"];
  const wrong: [args: string[], text: RegExp][] = [
    [["--nodes", "n1"], /Cannot serve a node without --name/],
    [["--name", "n1"], /Cannot serve a node without --nodes/],
    [["--name", "n4", "--nodes", "n1,n2"], /expected one of --nodes, n1, n2/],
    [["--name", "n1", "--nodes", "n1,n1"], /each of them once/],
    [["--name", "n1", "--nodes", "n1,*"], /letters, digits/],
    [["--name", "n1", "--nodes", "n1", "--cluster", "a.b"], /letters, digits/],
    [["--name", "n1", "--nodes", "n1", "--max-latncy", "1"], /Unknown option --max-latncy/],
  ];
  await Promise.all(wrong.map(async ([args, text]) => {
    const { code, stderr } = await new CommandProcess([...common, ...args]).result();
    assertEquals(code, 254, stderr);
    assertMatch(stderr, text);
  }));
  const unreachable = await new CommandProcess([...common, "--name", "n1", "--nodes", "n1"])
    .result();
  assertEquals(unreachable.code, 255);
  assertMatch(unreachable.stderr, /Cannot connect to the NATS server/);
  const help = await new CommandProcess(["lin-kv", "--help"]).result();
  assertEquals(help.code, 0);
  for (const word of ["--nodes", "--controlled", "--data", "--max-latency"]) {
    assert(help.stdout.includes(word), word);
  }
});

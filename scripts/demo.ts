/**
 * Plays two conversations with the node and prints both sides as they happen.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";

import { projectPath, runCommand, say, ScriptError } from "./support.ts";

const flags = {};

const usage = `Usage: deno task conversation

Starts the node as a process, plays two conversations with it, and prints both sides as they happen.`;

/** How long the node may take to answer. */
const DEADLINE_MS = 10_000;
/** How long n2 takes to think, so that an onlooker sees who is kept waiting. */
const THINKING_MS = 500;

type Body = Readonly<Record<string, unknown>>;

const colours = { "->": 36, "<-": 32, bold: 1, dim: 2 } as const;

function paint(text: string, colour: keyof typeof colours): string {
  const plain = !Deno.stdout.isTerminal() || Deno.noColor;
  return plain ? text : `\x1b[${colours[colour]}m${text}\x1b[0m`;
}

/** A node as a process; whatever goes in or comes out is printed. */
class Conversation {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #startMs = performance.now();

  constructor(program: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", projectPath(program)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /** Says something to n1. */
  async send(src: string, body: Body): Promise<void> {
    const line = JSON.stringify({ src, dest: "n1", body });
    this.#print("->", line);
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Waits for n1's next line, and checks whom it is for and what it is. */
  async expect(dest: string, type: string): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), DEADLINE_MS);
    });
    const line = (await Promise.race([this.#lines.read(), late]))?.value;
    clearTimeout(timer);
    if (line === undefined) {
      throw new ScriptError(`Missing ${type} for ${dest}: the node is silent`);
    }
    this.#print("<-", line);
    const message = JSON.parse(line);
    if (message.dest !== dest || message.body.type !== type) {
      throw new ScriptError(`Expected ${type} for ${dest}, got ${line}`);
    }
  }

  /** Ends the input, and with it the process. */
  async end(): Promise<void> {
    await this.#writer.close();
    const { code } = await this.#child.status;
    if (code !== 0) throw new ScriptError(`The node ended with exit code ${code}`);
  }

  /** Ends the process if it has not ended by itself. */
  kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  #print(arrow: "->" | "<-", line: string): void {
    const time = `${Math.round(performance.now() - this.#startMs)} ms`.padStart(8);
    say(`${paint(time, "dim")}  ${paint(`${arrow} ${line}`, arrow)}`);
  }
}

async function converse(program: string, talk: (node: Conversation) => Promise<void>) {
  const node = new Conversation(program);
  try {
    await talk(node);
    await node.end();
  } finally {
    node.kill();
  }
}

/** The conversation of the assignment. */
async function playSample(node: Conversation): Promise<void> {
  await node.send("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1"] });
  await node.expect("c0", "init_ok");
  for (const index of [1, 2, 3]) {
    await node.send(`c${index}`, { type: "echo", msg_id: index + 1, echo: `test${index}` });
    await node.expect(`c${index}`, "echo_ok");
  }
}

/** A request that waits for another node, and others that do not wait for it. */
async function playSlowAndFast(node: Conversation): Promise<void> {
  await node.send("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1", "n2"] });
  await node.expect("c0", "init_ok");
  await node.send("c1", { type: "ask", msg_id: 2, of: "n2", question: "Is anybody there?" });
  await node.expect("n2", "question");
  const thinking = new Promise((resolve) => setTimeout(resolve, THINKING_MS));
  await node.send("c2", { type: "echo", msg_id: 3, echo: "no need" });
  await node.expect("c2", "echo_ok");
  await node.send("c3", { type: "echo", msg_id: 4, echo: "to wait" });
  await node.expect("c3", "echo_ok");
  await thinking;
  await node.send("n2", { type: "question_ok", in_reply_to: 1, answer: "Yes, n2 is" });
  await node.expect("c1", "ask_ok");
}

async function main(): Promise<number> {
  say(paint("The assignment's conversation, with main.ts", "bold"));
  say("-> goes into the node, <- comes out. Notice: replies count their msg_id from 0.\n");
  await converse("main.ts", playSample);
  say(paint("\nSlow and fast, with scripts/demo/asking_node.ts", "bold"));
  say("n1 cannot answer c1 before n2 has answered n1. Notice: c2 and c3 come later than c1, and");
  say("are answered while c1's handler waits; c1 is answered as soon as n2's reply is in.\n");
  await converse("scripts/demo/asking_node.ts", playSlowAndFast);
  say("\nTalk to it yourself: deno task dev");
  return 0;
}

if (import.meta.main) await runCommand(usage, flags, main);

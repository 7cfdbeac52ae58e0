// A node in Rust, on nothing but the standard library: echo, unique-ids and broadcast.
//
//   rustc --target wasm32-wasip1 -O -o node.wasm node.rs
//   rustc -O -o node node.rs
//
// Given a fault: "wrong-echo" changes what it returns, "same-ids" leaves its name out of its ids,
// "deaf" ignores what other nodes tell it. Rust's library for WASI has no threads and no read with a time limit: the
// node passes a new message on once, so it needs a network that loses nothing.

use std::collections::BTreeSet;
use std::io::BufRead;

#[derive(Default)]
struct Node {
    fault: String,
    id: String,
    peers: Vec<String>,
    next_id: u64,
    seen: BTreeSet<i64>,
}

/// What follows `"key":` in a line; nothing if it has no such key.
fn after<'a>(line: &'a str, key: &str) -> &'a str {
    let quoted = format!("\"{}\":", key);
    line.find(&quoted).map_or("", |at| &line[at + quoted.len()..])
}

fn text<'a>(line: &'a str, key: &str) -> &'a str {
    after(line, key).split('"').nth(1).unwrap_or("")
}

fn number(line: &str, key: &str) -> i64 {
    let end = |c: char| c != '-' && !c.is_ascii_digit();
    after(line, key).split(end).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

impl Node {
    fn send(&self, dest: &str, body: String) {
        println!(r#"{{"src":"{}","dest":"{}","body":{{{}}}}}"#, self.id, dest, body);
    }

    /// Takes a message, and passes it on if it is new.
    fn see(&mut self, message: i64, src: &str) {
        if !self.seen.insert(message) {
            return;
        }
        for peer in self.peers.iter().filter(|peer| *peer != src) {
            self.send(peer, format!(r#""type":"gossip","message":{}"#, message));
        }
    }

    fn answer(&mut self, line: &str) {
        let (src, kind) = (text(line, "src"), text(line, "type"));
        let mut keys = String::new();
        match kind {
            "init" => {
                self.id = text(line, "node_id").to_string();
                let names = after(line, "node_ids").split(']').next().unwrap_or("");
                let others = names.split('"').skip(1).step_by(2).filter(|name| *name != self.id);
                self.peers = others.map(String::from).collect();
            }
            "gossip" => {
                if self.fault != "deaf" {
                    self.see(number(line, "message"), src);
                }
                return;
            }
            "echo" => {
                let more = if self.fault == "wrong-echo" { "!" } else { "" };
                keys = format!(r#","echo":"{}{}""#, text(line, "echo"), more);
            }
            "generate" => {
                let prefix = if self.fault == "same-ids" { "" } else { &self.id };
                keys = format!(r#","id":"{}-{}""#, prefix, self.next_id);
                self.next_id += 1;
            }
            "broadcast" => self.see(number(line, "message"), src),
            "read" => {
                let all: Vec<String> = self.seen.iter().map(i64::to_string).collect();
                keys = format!(r#","messages":[{}]"#, all.join(","));
            }
            _ => {}
        }
        let in_reply_to = number(line, "msg_id");
        self.send(src, format!(r#""type":"{}_ok","in_reply_to":{}{}"#, kind, in_reply_to, keys));
    }
}

fn main() {
    let mut node = Node { fault: std::env::args().nth(1).unwrap_or_default(), ..Node::default() };
    for line in std::io::stdin().lock().lines() {
        node.answer(&line.expect("standard input can be read"));
    }
}

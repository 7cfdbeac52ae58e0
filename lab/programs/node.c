// A node in C, on nothing but the C library: echo, unique-ids and broadcast.
//
//   clang --target=wasm32-wasi -O2 -o node.wasm node.c
//   cc -O2 -o node node.c
//
// Given a fault: "wrong-echo" changes what it returns, "same-ids" leaves its name out of its ids,
// "deaf" ignores what other nodes tell it.

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GOSSIP_MS 100

static char id[64];
static char peers[64][64];
static int peer_count;
static long long seen[100000];
static int seen_count;
static const char *fault = "";
// When to tell other nodes; never, where clients ask for nothing that they must know.
static long long next_gossip_ms = -1;

// What follows "key": in a line; NULL if it has no such key.
static char *after(char *line, const char *key) {
  char quoted[64];
  snprintf(quoted, sizeof quoted, "\"%s\":", key);
  char *found = strstr(line, quoted);
  return found == NULL ? NULL : found + strlen(quoted);
}

// Copies the text that follows "key": to `to`.
static void text_after(char *line, const char *key, char to[64]) {
  to[0] = '\0';
  char *found = after(line, key);
  if (found != NULL) sscanf(found, "\"%63[^\"]\"", to);
}

static void see(long long message) {
  for (int i = 0; i < seen_count; i++) {
    if (seen[i] == message) return;
  }
  if (seen_count < 100000) seen[seen_count++] = message;
}

static void print_seen(void) {
  printf("\"messages\":[");
  for (int i = 0; i < seen_count; i++) printf(i == 0 ? "%lld" : ",%lld", seen[i]);
  printf("]");
}

// Tells all other nodes everything, every now and then: what is lost is told again.
static void gossip(void) {
  for (int i = 0; i < peer_count && seen_count > 0; i++) {
    printf("{\"src\":\"%s\",\"dest\":\"%s\",\"body\":{\"type\":\"gossip\",", id, peers[i]);
    print_seen();
    printf("}}\n");
  }
  fflush(stdout);
}

static void learn_names(char *line) {
  text_after(line, "node_id", id);
  char name[64];
  // After the bracket and after each comma comes a name.
  for (char *at = after(line, "node_ids"); *at != ']' && peer_count < 64; at += strcspn(at, ",]")) {
    at++;
    if (sscanf(at, "\"%63[^\"]\"", name) == 1 && strcmp(name, id) != 0) {
      strcpy(peers[peer_count++], name);
    }
  }
}

static void learn_messages(char *line) {
  if (strcmp(fault, "deaf") == 0) return;
  char *rest = after(line, "messages") + 1;
  while (*rest != ']' && *rest != '\0') {
    see(strtoll(rest, &rest, 10));
    if (*rest == ',') rest++;
  }
}

static long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void answer(char *line) {
  static long long next_id;
  char src[64], type[64];
  text_after(line, "src", src);
  text_after(line, "type", type);
  if (strcmp(type, "gossip") == 0) {
    learn_messages(line);
    return;
  }
  char *msg_id = after(line, "msg_id");
  long long in_reply_to = msg_id == NULL ? 0 : strtoll(msg_id, NULL, 10);
  if (strcmp(type, "init") == 0) learn_names(line);
  if (strcmp(type, "topology") == 0) next_gossip_ms = now_ms() + GOSSIP_MS;
  if (strcmp(type, "broadcast") == 0) see(strtoll(after(line, "message"), NULL, 10));
  printf("{\"src\":\"%s\",\"dest\":\"%s\",\"body\":{\"type\":\"%s_ok\",", id, src, type);
  if (strcmp(type, "read") == 0) {
    print_seen();
    printf(",");
  }
  if (strcmp(type, "echo") == 0) {
    char *echo = after(line, "echo") + 1;
    const char *more = strcmp(fault, "wrong-echo") == 0 ? "!" : "";
    printf("\"echo\":\"%.*s%s\",", (int)strcspn(echo, "\""), echo, more);
  }
  if (strcmp(type, "generate") == 0) {
    const char *prefix = strcmp(fault, "same-ids") == 0 ? "" : id;
    printf("\"id\":\"%s-%lld\",", prefix, next_id++);
  }
  printf("\"in_reply_to\":%lld}}\n", in_reply_to);
  fflush(stdout);
}

// Reads what there is, and answers the lines that are whole.
static int answer_input(void) {
  static char input[1 << 20];
  static size_t length;
  ssize_t size = read(0, input + length, sizeof input - 1 - length);
  if (size <= 0) return 0;
  length += (size_t)size;
  input[length] = '\0';
  char *line = input;
  for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = '\0';
    answer(line);
  }
  length -= (size_t)(line - input);
  memmove(input, line, length);
  return 1;
}

int main(int count, char **args) {
  if (count > 1) fault = args[1];
  struct pollfd input = {.fd = 0, .events = POLLIN};
  for (;;) {
    int left_ms = next_gossip_ms < 0 ? -1 : (int)(next_gossip_ms - now_ms());
    if (next_gossip_ms >= 0 && left_ms <= 0) {
      gossip();
      next_gossip_ms += GOSSIP_MS;
    } else if (poll(&input, 1, left_ms) > 0 && !answer_input()) {
      return 0;
    }
  }
}

// A node in Go, on nothing but the standard library: echo, unique-ids and broadcast.
//
//	GOOS=wasip1 GOARCH=wasm go build -o node.wasm node.go
//	go build -o node node.go
//
// Given a fault: "wrong-echo" changes what it returns, "same-ids" leaves its name out of its ids,
// "deaf" ignores what other nodes tell it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"sync"
	"time"
)

type Message struct {
	Src  string         `json:"src"`
	Dest string         `json:"dest"`
	Body map[string]any `json:"body"`
}

var (
	mutex  sync.Mutex
	output = json.NewEncoder(os.Stdout)
	fault  string
	id     string
	peers  []string
	nextID int
	seen   = map[float64]bool{}
)

func send(dest string, body map[string]any) {
	if err := output.Encode(Message{id, dest, body}); err != nil {
		log.Fatal(err)
	}
}

// messages lists what was seen, always in one order: that of a map is random.
func messages() []float64 {
	list := make([]float64, 0, len(seen))
	for message := range seen {
		list = append(list, message)
	}
	slices.Sort(list)
	return list
}

// gossip tells all other nodes everything, every now and then: what is lost is told again.
func gossip() {
	for range time.Tick(100 * time.Millisecond) {
		mutex.Lock()
		for _, peer := range peers {
			send(peer, map[string]any{"type": "gossip", "messages": messages()})
		}
		mutex.Unlock()
	}
}

func answer(request Message) {
	mutex.Lock()
	defer mutex.Unlock()
	body := request.Body
	reply := map[string]any{"type": fmt.Sprint(body["type"], "_ok"), "in_reply_to": body["msg_id"]}
	switch body["type"] {
	case "init":
		id = body["node_id"].(string)
		for _, name := range body["node_ids"].([]any) {
			if name != id {
				peers = append(peers, name.(string))
			}
		}
	case "topology":
		go gossip()
	case "gossip":
		for _, message := range body["messages"].([]any) {
			if fault != "deaf" {
				seen[message.(float64)] = true
			}
		}
		return
	case "echo":
		reply["echo"] = body["echo"]
		if fault == "wrong-echo" {
			reply["echo"] = fmt.Sprint(body["echo"], "!")
		}
	case "generate":
		reply["id"] = fmt.Sprint(id, "-", nextID)
		if fault == "same-ids" {
			reply["id"] = nextID
		}
		nextID++
	case "broadcast":
		seen[body["message"].(float64)] = true
	case "read":
		reply["messages"] = messages()
	}
	send(request.Src, reply)
}

func main() {
	if len(os.Args) > 1 {
		fault = os.Args[1]
	}
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<24)
	for input.Scan() {
		var request Message
		if err := json.Unmarshal(input.Bytes(), &request); err != nil {
			log.Fatal(err)
		}
		go answer(request)
	}
}

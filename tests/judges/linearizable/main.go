// Linearizable reads a history of refreshes and nonce redemptions, as `tyrian race` writes it, and has porcupine look for one order of the
// operations that the rules of tokens allow: the head of a chain is exchanged once, whoever brings the token before it within the grace gets
// the same successor, anything else ends the chain for good, and a nonce belongs to the first who brings it.
//
// Usage: linearizable -grace 10s HISTORY            exit 0 when there is such an order
//
//	linearizable -grace 10s -forge KIND HISTORY   the same after forging one operation: exit 0 when the forgery is found
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

type operation struct {
	Client   int    `json:"client"`
	Node     int    `json:"node"`
	Object   string `json:"object"`
	Kind     string `json:"kind"`
	Subject  int    `json:"subject"`
	Stranger bool   `json:"stranger"`
	Call     int64  `json:"call"`
	Return   int64  `json:"return"`
	Outcome  string `json:"outcome"`
	Given    int    `json:"given"`
}

// What nobody was told yet.
const unknown = -1

// How far clocks of one machine may disagree: the history's is monotonic, the server's follows the time of day.
const tolerance = int64(50 * time.Millisecond)

type state struct {
	// A chain: its head, the token before it, when that was exchanged (earliest, latest), what came before, and whether it is over.
	head, before     int
	earliest, latest int64
	past             string
	over             bool
	// A nonce: who spent it; 0 nobody, `unknown` one whose node died before it judged anything, which helps nobody any more.
	spender int
}

func (s state) has(token int) bool {
	for _, one := range s.past {
		if int(one) == token {
			return true
		}
	}
	return false
}

func (s state) rotated(op operation, successor int) state {
	s.past += string(rune(op.Subject))
	s.before, s.head = op.Subject, successor
	s.earliest, s.latest = op.Call, op.Return
	return s
}

func (s state) ended() state {
	s.over = true
	return s
}

func refresh(s state, op operation, grace int64) []state {
	granted, refused := op.Outcome == "granted", op.Outcome == "refused"
	if s.over {
		if granted {
			return nil
		}
		return []state{s}
	}
	stolen := func() []state {
		switch {
		case granted:
			return nil
		case refused:
			return []state{s.ended()}
		}
		return []state{s, s.ended()}
	}
	if op.Stranger {
		return stolen()
	}
	switch op.Subject {
	case s.head:
		switch {
		case granted && !s.has(op.Given) && op.Given != s.head:
			return []state{s.rotated(op, op.Given)}
		case granted || refused:
			return nil
		}
		return []state{s, s.rotated(op, unknown)}
	case s.before:
		mayBeLate := op.Return-s.earliest > grace-tolerance
		mayBeInTime := op.Call-s.latest <= grace+tolerance
		switch {
		case granted && mayBeInTime && s.head == unknown && !s.has(op.Given):
			s.head = op.Given
			return []state{s}
		case granted && mayBeInTime && op.Given == s.head:
			return []state{s}
		case granted || refused && !mayBeLate:
			return nil
		case refused:
			return []state{s.ended()}
		case mayBeLate:
			return []state{s, s.ended()}
		}
		return []state{s}
	}
	if s.has(op.Subject) {
		return stolen()
	}
	// A token that the chain has not given in this order.
	return nil
}

func spend(s state, op operation) []state {
	taken, lost := s, s
	taken.spender, lost.spender = op.Subject, unknown
	switch op.Outcome {
	case "granted":
		if s.spender == 0 || s.spender == op.Subject {
			return []state{taken}
		}
		return nil
	case "refused":
		if s.spender != 0 && s.spender != op.Subject {
			return []state{s}
		}
		return nil
	}
	if s.spender == 0 {
		return []state{s, taken, lost}
	}
	return []state{s}
}

func model(grace time.Duration) porcupine.Model {
	rules := porcupine.NondeterministicModel{
		Init: func() []any { return []any{state{head: 1}} },
		Step: func(before, input, _ any) []any {
			op := input.(operation)
			var next []state
			if op.Kind == "spend" {
				next = spend(before.(state), op)
			} else {
				next = refresh(before.(state), op, int64(grace))
			}
			all := make([]any, len(next))
			for index, one := range next {
				all[index] = one
			}
			return all
		},
		Equal: func(one, other any) bool { return one == other },
	}
	return rules.ToModel()
}

func read(path string) []operation {
	file, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	var history []operation
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var op operation
		if err := json.Unmarshal(lines.Bytes(), &op); err != nil {
			log.Fatalf("%s:%d: %v", path, len(history)+1, err)
		}
		history = append(history, op)
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
	return history
}

// Forge changes one operation into one that must never happen; false when the history has no place for it.
func forge(history []operation, kind string) bool {
	over := map[string]int64{}
	for _, op := range history {
		// What was refused once ended the chain, before anything that was called after it.
		if op.Kind == "refresh" && op.Outcome == "refused" {
			if at, is := over[op.Object]; !is || op.Return < at {
				over[op.Object] = op.Return
			}
		}
	}
	for index := range history {
		op := &history[index]
		end, isOver := over[op.Object]
		switch {
		case kind == "spent-twice" && op.Kind == "spend" && op.Outcome == "refused":
			op.Outcome = "granted"
		case kind == "two-successors" && op.Kind == "refresh" && op.Outcome == "granted" && shares(history, index):
			op.Given = 1 << 20
		case kind == "after-the-end" && op.Kind == "refresh" && op.Outcome == "refused" && isOver && op.Call > end:
			op.Outcome, op.Given = "granted", 1<<20
		case kind == "honest-refused" && op.Kind == "refresh" && op.Outcome == "granted" && op.Subject == 1 && !op.Stranger && goesOn(history, index):
			op.Outcome, op.Given = "refused", 0
		case kind == "skipped" && op.Kind == "refresh" && op.Outcome == "granted" && op.Subject > 2:
			op.Subject = 1
		default:
			continue
		}
		fmt.Printf("forged: %s by client %d of %s\n", kind, op.Client, op.Object)
		return true
	}
	return false
}

// Whether another operation was granted the same successor.
func shares(history []operation, index int) bool {
	op := history[index]
	return slices.ContainsFunc(history, func(other operation) bool {
		return other.Object == op.Object && other.Subject == op.Subject && other.Outcome == "granted" && other.Call != op.Call && other.Given == op.Given
	})
}

// Whether the chain was still good long after this operation.
func goesOn(history []operation, index int) bool {
	op := history[index]
	return slices.ContainsFunc(history, func(other operation) bool {
		return other.Object == op.Object && other.Outcome == "granted" && other.Kind == "refresh" && other.Call > op.Return
	})
}

func main() {
	log.SetFlags(0)
	grace := flag.Duration("grace", 10*time.Second, "how long a spent token still gets its successor")
	forgery := flag.String("forge", "", "forge an operation and expect to be caught: spent-twice, two-successors, after-the-end, honest-refused or skipped")
	timeout := flag.Duration("timeout", 10*time.Minute, "how long to look for an order")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	history := read(flag.Arg(0))
	if *forgery != "" && !forge(history, *forgery) {
		log.Fatalf("the history has no operation that could be forged as %s", *forgery)
	}
	counts := map[string]int{}
	objects := map[string][]porcupine.Operation{}
	for index, op := range history {
		counts[op.Kind+" "+op.Outcome]++
		end := op.Return
		if op.Outcome == "unknown" {
			// It may take effect at any time later, or never.
			end = math.MaxInt64
		}
		// One client of the checker does one thing at a time; an unknown operation never ends, so each gets a client of its own.
		objects[op.Object] = append(objects[op.Object], porcupine.Operation{ClientId: index, Input: op, Call: op.Call, Output: nil, Return: end})
	}
	rules := model(*grace)
	begun, wrong := time.Now(), 0
	for name, part := range objects {
		switch porcupine.CheckOperationsTimeout(rules, part, *timeout) {
		case porcupine.Ok:
		case porcupine.Illegal:
			wrong++
			fmt.Printf("%s is not linearizable:\n", name)
			if *forgery == "" {
				for _, op := range part {
					fmt.Printf("  %+v\n", op.Input)
				}
			}
		default:
			log.Fatalf("%s: no answer within %s", name, *timeout)
		}
	}
	fmt.Printf("%d operations on %d chains and nonces, %v, looked at in %s: %d not linearizable\n", len(history), len(objects), counts,
		time.Since(begun).Round(time.Millisecond), wrong)
	if (wrong > 0) != (*forgery != "") {
		os.Exit(1)
	}
}

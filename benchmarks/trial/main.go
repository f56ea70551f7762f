// Trial is the smallest container that keeps Winnow's trial contract: it reads its assignments,
// computes a figure from the parameters of each, and writes the result. It does not wait, train or
// keep anything, so what a benchmark measures with it is the cluster and the operator alone.
package main

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"strconv"
)

const (
	contractVersion = 1
	codeContract    = 64
	codePermanent   = 65
)

type assignments struct {
	ContractVersion int     `json:"contractVersion"`
	TrialsPerPod    int     `json:"trialsPerPod"`
	Trials          []trial `json:"trials"`
}

type trial struct {
	Number     int            `json:"number"`
	Parameters map[string]any `json:"parameters"`
}

// result is a pod's termination message; its keys are those of winnow_contract.results.
type result struct {
	Version int       `json:"v"`
	Attempt string    `json:"a"`
	Cause   string    `json:"c,omitempty"`
	Words   string    `json:"w,omitempty"`
	Fault   int       `json:"j,omitempty"`
	Trials  []outcome `json:"t"`
}

type outcome struct {
	Number    int     `json:"n"`
	Outcome   string  `json:"o"`
	Objective float64 `json:"y"`
}

func main() {
	os.Exit(run())
}

func run() int {
	answer := result{Version: contractVersion, Attempt: attempt(), Trials: []outcome{}}
	code, err := work(&answer)
	if err != nil {
		answer.Cause, answer.Words, answer.Fault = "BadAssignments", err.Error(), 1
	}
	text, _ := json.Marshal(answer)
	path := variable("WINNOW_TERMINATION_LOG", "/dev/termination-log")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func work(answer *result) (int, error) {
	text, err := os.ReadFile(variable("WINNOW_ASSIGNMENTS", "/winnow/assignments/assignments.json"))
	if err != nil {
		return codePermanent, err
	}
	var given assignments
	if err := json.Unmarshal(text, &given); err != nil {
		return codePermanent, err
	}
	if given.ContractVersion != contractVersion {
		return codeContract, fmt.Errorf("the operator speaks contract version %d, this image %d",
			given.ContractVersion, contractVersion)
	}
	mine, err := pick(given)
	if err != nil {
		return codePermanent, err
	}
	for _, each := range mine {
		answer.Trials = append(answer.Trials, outcome{each.Number, "S", quality(each.Parameters)})
	}
	return 0, nil
}

// pick gives the trials of this pod's completion index.
func pick(given assignments) ([]trial, error) {
	index, err := strconv.Atoi(variable("JOB_COMPLETION_INDEX", "0"))
	if err != nil {
		return nil, fmt.Errorf("JOB_COMPLETION_INDEX: %w", err)
	}
	start := index * given.TrialsPerPod
	if index < 0 || given.TrialsPerPod < 1 || start >= len(given.Trials) {
		return nil, fmt.Errorf("completion index %d has no trials: the file holds %d, %d for each pod",
			index, len(given.Trials), given.TrialsPerPod)
	}
	return given.Trials[start:min(start+given.TrialsPerPod, len(given.Trials))], nil
}

// quality is a smooth figure: best where every number is 0.7; each word adds its own small constant.
func quality(parameters map[string]any) float64 {
	value := 1.0
	for name, given := range parameters {
		switch v := given.(type) {
		case float64:
			value -= (v - 0.7) * (v - 0.7)
		case string:
			sum := fnv.New32a()
			sum.Write([]byte(name + "=" + v))
			value += float64(sum.Sum32()%100) / 1000
		}
	}
	return math.Round(value*1e6) / 1e6
}

func attempt() string {
	uid := variable("WINNOW_ATTEMPT", "local")
	return uid[:min(8, len(uid))]
}

func variable(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

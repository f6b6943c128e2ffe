//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// splitGroups are the workloads that can be compared between a program in one process and the same with its rooms in another.
var splitGroups = []string{"echo", "broadcast", "http", "puts", "rooms"}

// splitFlags have a server run its rooms in a process of their own. Probation is not of interest.
var splitFlags = []string{"--upgradable", "--probation", "1ms"}

// family returns the CPU time that a process and its children have used.
func family(pid int) (time.Duration, error) {
	sum, err := cpuOf(pid)
	if err != nil {
		return 0, err
	}
	pids, err := children(pid)
	for _, child := range pids {
		used, e := cpuOf(child)
		sum, err = sum+used, errors.Join(err, e)
	}
	return sum, err
}

func cpuOf(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return cpuTime(string(stat))
}

// children lists the processes that a process has started and that run.
func children(pid int) ([]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var out []int
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || err != nil && strings.Contains(err.Error(), "no such process") {
			continue // it has just ended
		}
		if err != nil {
			return nil, err
		}
		text := string(data)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // state, parent
		if len(fields) < 2 || fields[1] != strconv.Itoa(pid) {
			continue
		}
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		out = append(out, child)
	}
	slices.Sort(out)
	return out, nil
}

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// cpuSet is a mask of CPUs, as the kernel has it.
type cpuSet [16]uint64

func single(cpu int) (s cpuSet) {
	s[cpu/64] = 1 << (cpu % 64)
	return s
}

func (s *cpuSet) list() (out []int) {
	for cpu := range len(s) * 64 {
		if s[cpu/64]>>(cpu%64)&1 != 0 {
			out = append(out, cpu)
		}
	}
	return out
}

// affinity returns where a thread may run; 0 is the calling one.
func affinity(thread int) (s cpuSet, err error) {
	if _, _, e := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, uintptr(thread), unsafe.Sizeof(s), uintptr(unsafe.Pointer(&s))); e != 0 {
		return s, os.NewSyscallError("sched_getaffinity", e)
	}
	return s, nil
}

func setAffinity(thread int, s cpuSet) error {
	if _, _, e := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(thread), unsafe.Sizeof(s), uintptr(unsafe.Pointer(&s))); e != 0 {
		return os.NewSyscallError("sched_setaffinity", e)
	}
	return nil
}

// cpus says where server and load run.
type cpus struct{ server, client int }

// chooseCPUs takes the first CPU for the server and the next one for the load.
func chooseCPUs() (cpus, error) {
	s, err := affinity(0)
	if err != nil {
		return cpus{}, err
	}
	list := s.list()
	if len(list) == 0 {
		return cpus{}, errors.New("no CPU is allowed")
	}
	return cpus{server: list[0], client: list[min(1, len(list)-1)]}, nil
}

// pinProcess moves every thread of this process to one CPU. Later threads inherit it.
func pinProcess(cpu int) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := setAffinity(id, single(cpu)); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("pin to CPU %d: %w", cpu, err)
		}
	}
	return nil
}

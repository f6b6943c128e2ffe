package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync"
)

// appendLog is a file of records. All records that wait share one write and one sync.
type appendLog struct {
	file *os.File

	mu      sync.Mutex
	woken   sync.Cond // on mu: there are records
	records []byte
	waiting []func()
}

func openLog(name string) (*appendLog, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	l := &appendLog{file: f}
	l.woken.L = &l.mu
	go l.run()
	return l, nil
}

// append adds a record. done is called when it is on disk.
func (l *appendLog) append(room string, data []byte, done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = binary.AppendUvarint(l.records, uint64(len(room)))
	l.records = append(l.records, room...)
	l.records = binary.AppendUvarint(l.records, uint64(len(data)))
	l.records = append(l.records, data...)
	l.waiting = append(l.waiting, done)
	l.woken.Signal()
}

func (l *appendLog) run() {
	var records []byte
	var waiting []func()
	for {
		l.mu.Lock()
		for len(l.waiting) == 0 {
			l.woken.Wait()
		}
		records, l.records = l.records, records[:0]
		waiting, l.waiting = l.waiting, waiting[:0]
		l.mu.Unlock()
		if err := l.write(records); err != nil {
			fmt.Fprintln(os.Stderr, "hub:", err)
			os.Exit(1) // nothing that was asked for can be acknowledged
		}
		for n, done := range waiting {
			done()
			waiting[n] = nil
		}
	}
}

func (l *appendLog) write(records []byte) error {
	if _, err := l.file.Write(records); err != nil {
		return err
	}
	return syncData(l.file)
}

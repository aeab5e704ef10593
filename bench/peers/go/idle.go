package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// idle: what a process costs in which every goroutine waits, in processor time and in memory.
func idle(args []string) error {
	flags := flag.NewFlagSet("idle", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	seconds := flags.Int("seconds", 10, "how long")
	workers := flags.Int("workers", runtime.GOMAXPROCS(0), "the value of GOMAXPROCS")
	goroutines := flags.Int("goroutines", 100_000, "that wait")
	timers := flags.Int("timers", 1000, "that are pending")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%v\n%w", err, errUsage)
	}
	if *seconds < 1 || *workers < 1 || *goroutines < 1 || *timers < 1 || flags.NArg() > 0 {
		return errUsage
	}
	runtime.GOMAXPROCS(*workers)
	pending := make([]*time.Timer, *timers)
	for i := range pending {
		pending[i] = time.NewTimer(time.Hour + time.Duration(i)*time.Microsecond)
	}

	empty, err := usageNow()
	if err != nil {
		return err
	}
	gate := make(chan int)
	var there, all sync.WaitGroup
	there.Add(*goroutines)
	all.Add(*goroutines)
	for range *goroutines {
		go func() {
			there.Done()
			<-gate
			all.Done()
		}()
	}
	there.Wait()
	runtime.GC() // what a collection of before leaves to do is not idling
	before, err := usageNow()
	if err != nil {
		return err
	}
	start := time.Now()
	time.Sleep(time.Duration(*seconds) * time.Second)
	took := time.Since(start).Seconds()
	after, err := usageNow()
	if err != nil {
		return err
	}
	close(gate)
	all.Wait()
	stopped := 0
	for _, t := range pending {
		if t.Stop() {
			stopped++
		}
	}
	if err := expect("the number of timers stopped in time", stopped, *timers); err != nil {
		return err
	}
	each := func(bytes int) float64 { return float64(bytes) / float64(*goroutines) }
	cpuMS := ratio(after.cpu-before.cpu, time.Millisecond)
	fmt.Printf("{\"goroutines\":%d,\"timers\":%d,\"seconds\":%.3f,\"cpu_ms\":%.3f,\"cpu_percent\":%.4f,\"switches\":%d,"+
		"\"bytes_per_goroutine\":%.0f,\"page_table_bytes_per_goroutine\":%.0f}\n",
		*goroutines, *timers, took, cpuMS, cpuMS/took/10, after.switches-before.switches,
		each(after.resident-empty.resident), each(after.pageTables-empty.pageTables))
	return nil
}

type usageOf struct {
	cpu                  time.Duration
	switches             int64 // of threads that had nothing left to do: each was a wake-up
	resident, pageTables int
}

func usageNow() (usageOf, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return usageOf{}, err
	}
	now := usageOf{cpu: time.Duration(r.Utime.Nano() + r.Stime.Nano()), switches: int64(r.Nvcsw)}
	status, err := os.Open("/proc/self/status")
	if err != nil {
		return usageOf{}, err
	}
	defer status.Close()
	lines := bufio.NewScanner(status)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		kib := 0
		if key == "VmRSS" || key == "VmPTE" {
			if _, err := fmt.Sscan(value, &kib); err != nil {
				return usageOf{}, err
			}
		}
		switch key {
		case "VmRSS":
			now.resident = kib * 1024
		case "VmPTE":
			now.pageTables = kib * 1024
		}
	}
	return now, lines.Err()
}

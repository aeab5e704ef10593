package main

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"
)

// timerStartStop: n times: start a timer of one hour and stop it.
func timerStartStop(n int) error {
	stopped := 0
	for range n {
		if time.NewTimer(time.Hour).Stop() {
			stopped++
		}
	}
	return expect("the number of timers stopped in time", stopped, n)
}

// amongTimers: with so many timers pending.
func amongTimers(pending int) func(measured func()) {
	return func(measured func()) {
		timers := make([]*time.Timer, pending)
		for i := range timers {
			timers[i] = time.NewTimer(time.Hour + time.Duration(i)*time.Microsecond)
		}
		measured()
		for _, t := range timers {
			t.Stop()
		}
	}
}

// tickerLoad: what a tick costs the processor, where a hundred tickers of a millisecond each have a goroutine that takes them.
func tickerLoad(target time.Duration) (measurement, error) {
	const tickers = 100
	var ticks [tickers]int
	began := cpuTime()
	ctx, cancel := context.WithTimeout(context.Background(), 4*target)
	defer cancel()
	var wg sync.WaitGroup
	for i := range ticks {
		wg.Add(1)
		go func() {
			defer wg.Done()
			t := time.NewTicker(time.Millisecond)
			defer t.Stop()
			for {
				select {
				case <-t.C:
					ticks[i]++
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	wg.Wait()
	cpu := cpuTime() - began
	all := 0
	for _, count := range ticks {
		all += count
	}
	if all < tickers*int(4*target/time.Millisecond)/2 {
		return measurement{}, errors.New("wrong result: fewer than half of the ticks came")
	}
	return measurement{"ns cpu", float64(cpu.Nanoseconds()) / float64(all), all}, nil
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

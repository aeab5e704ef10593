package main

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// lateness is how late four goroutines wake that sleep a millisecond at a time, sorted.
func lateness(target time.Duration) []time.Duration {
	end := time.Now().Add(10 * target)
	var each [4][]time.Duration
	var wg sync.WaitGroup
	for i := range each {
		wg.Add(1)
		go func() {
			defer wg.Done()
			late := make([]time.Duration, 0, 1<<16)
			for now := time.Now(); now.Before(end); {
				due := now.Add(time.Millisecond)
				time.Sleep(time.Millisecond)
				now = time.Now()
				late = append(late, now.Sub(due))
			}
			each[i] = late
		}()
	}
	wg.Wait()
	all := slices.Concat(each[:]...)
	slices.Sort(all)
	return all
}

// wake is one of the thousand parts of the lateness.
func wake(perThousand int) func(target time.Duration) (measurement, error) {
	return func(target time.Duration) (measurement, error) {
		all := lateness(target)
		return measurement{"ns", float64(max(all[len(all)*perThousand/1000], 1)), len(all)}, nil
	}
}

// besideAHog: a goroutine computes all the while.
func besideAHog(measured func()) {
	var stop atomic.Bool
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for !stop.Load() {
		}
	}()
	measured()
	stop.Store(true)
	<-ended
}

package main

import (
	"sync"
	"sync/atomic"
	"time"
)

const contenders = 8

// mutexUncontended: n times: lock, increment a counter, unlock.
func mutexUncontended(n int) error {
	var mu sync.Mutex
	count := 0
	for range n {
		mu.Lock()
		count++
		mu.Unlock()
	}
	return expect("the counter", count, n)
}

// mutexContended: so many goroutines take turns at one counter; inside, each computes for so many nanoseconds.
func mutexContended(contenders, inside int) func(n int) error {
	return func(n int) error {
		spins := 0
		if inside != 0 {
			spins = spinsPerUS() * inside / 1000
		}
		var mu sync.Mutex
		count := 0
		var wg sync.WaitGroup
		for range contenders {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range n / contenders {
					mu.Lock()
					count++
					spin(spins)
					mu.Unlock()
				}
			}()
		}
		wg.Wait()
		return expect("the counter", count, n)
	}
}

//go:noinline
func spin(rounds int) {
	for range rounds {
	}
}

// spinsPerUS is how many rounds of spin take a microsecond here. The first call finds out.
var spinsPerUS = sync.OnceValue(func() int {
	const rounds = 100_000
	fastest := time.Hour
	for range 20 {
		start := time.Now()
		spin(rounds)
		fastest = min(fastest, time.Since(start))
	}
	return max(int(rounds*time.Microsecond/fastest), 1)
})

// rwMutex9010: of ten turns nine read and one writes.
func rwMutex9010(n int) error {
	var mu sync.RWMutex
	a, b := 0, 0
	var torn atomic.Int64
	var wg sync.WaitGroup
	for range contenders {
		wg.Add(1)
		go func() {
			defer wg.Done()
			unequal := 0
			for i := range n / contenders {
				if i%10 == 0 {
					mu.Lock()
					a++
					b++
					mu.Unlock()
				} else {
					mu.RLock()
					if a != b {
						unequal++
					}
					mu.RUnlock()
				}
			}
			torn.Add(int64(unequal))
		}()
	}
	wg.Wait()
	if err := expect("the number of torn reads", int(torn.Load()), 0); err != nil {
		return err
	}
	return expect("the number of writes", a, n/10)
}

// condPingPong: two goroutines wait for their turn by turns.
func condPingPong(n int) error {
	var mu sync.Mutex
	changed := sync.NewCond(&mu)
	turn := 0
	play := func(mine int) {
		for range n {
			mu.Lock()
			for turn%2 != mine {
				changed.Wait()
			}
			turn++
			changed.Signal()
			mu.Unlock()
		}
	}
	ended := make(chan struct{})
	go func() {
		play(1)
		close(ended)
	}()
	play(0)
	<-ended
	return expect("the number of turns", turn, 2*n)
}

// semaphore4: a channel with room for four, which is faster than x/sync/semaphore.
func semaphore4(n int) error {
	units := make(chan struct{}, 4)
	var count atomic.Int64
	var wg sync.WaitGroup
	for range contenders {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range n / contenders {
				units <- struct{}{}
				count.Add(1)
				<-units
			}
		}()
	}
	wg.Wait()
	return expect("the counter", int(count.Load()), n)
}

package main

import (
	"context"
	"runtime"
	"sync"
)

const batchSize = 1000

// yield: two goroutines on one worker yield to each other, n yields in all.
func yield(n int) error {
	yields := func() int {
		count := 0
		for range n / 2 {
			runtime.Gosched()
			count++
		}
		return count
	}
	var wg sync.WaitGroup
	other := 0
	wg.Go(func() { other = yields() })
	mine := yields()
	wg.Wait()
	return expect("the number of yields", mine+other, n)
}

// spawnJoin: n times: start a goroutine and receive what it sends at its end.
func spawnJoin(n int) error {
	ended := make(chan int)
	sum := 0
	for i := range n {
		go func() { ended <- i }()
		sum += <-ended
	}
	return expect("the sum of what the goroutines sent", sum, sumBelow(n))
}

// spawnBatch: n/1000 times: start 1000 goroutines, then wait for all of them. The go statement stands here by itself because
// wg.Go, which wraps one closure into another, is slower.
func spawnBatch(n int) error {
	var wg sync.WaitGroup
	runs := make([]int, batchSize)
	for range n / batchSize {
		wg.Add(batchSize)
		for i := range runs {
			go func() {
				runs[i]++
				wg.Done()
			}()
		}
		wg.Wait()
	}
	for _, r := range runs {
		if err := expect("the number of runs of one goroutine of the batch", r, n/batchSize); err != nil {
			return err
		}
	}
	return nil
}

const groupSize = 100

// group is x/sync/errgroup's Group without a limit: the first error cancels the context.
type group struct {
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	once   sync.Once
	err    error
}

func withContext(ctx context.Context) (*group, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	return &group{cancel: cancel}, ctx
}

func (g *group) run(f func() error) {
	g.wg.Add(1)
	go func() {
		defer g.wg.Done()
		if err := f(); err != nil {
			g.once.Do(func() {
				g.err = err
				g.cancel(err)
			})
		}
	}()
}

func (g *group) wait() error {
	g.wg.Wait()
	g.cancel(g.err)
	return g.err
}

// group100: groups of a hundred tasks, all of which succeed.
func group100(n int) error {
	var runs [groupSize]int
	for range n / groupSize {
		g, _ := withContext(context.Background())
		for i := range runs {
			g.run(func() error {
				runs[i]++
				return nil
			})
		}
		if err := g.wait(); err != nil {
			return err
		}
	}
	for _, r := range runs {
		if err := expect("the number of runs of one task of the group", r, n/groupSize); err != nil {
			return err
		}
	}
	return nil
}

package main

import "sync"

// park: n/size times: size goroutines are made, park and are woken.
func park(size int) func(n int) error {
	return func(n int) error {
		wakes := make([]int, size)
		for range n / size {
			gate := make(chan int)
			var there, all sync.WaitGroup
			there.Add(size)
			all.Add(size)
			for i := range wakes {
				go func() {
					there.Done()
					if _, open := <-gate; !open {
						wakes[i]++
					}
					all.Done()
				}()
			}
			there.Wait()
			close(gate)
			all.Wait()
		}
		for _, w := range wakes {
			if err := expect("the number of times that a goroutine was woken", w, n/size); err != nil {
				return err
			}
		}
		return nil
	}
}

package main

import "sync"

// select2: one goroutine selects over two unbuffered channels; another sends n/2 values over each, by turns.
func select2(n int) error {
	a, b := make(chan int), make(chan int)
	var sender sync.WaitGroup
	sender.Go(func() {
		for i := range n / 2 {
			a <- i
			b <- i
		}
	})
	sumA, sumB := 0, 0
	for range n {
		select {
		case v := <-a:
			sumA += v
		case v := <-b:
			sumB += v
		}
	}
	sender.Wait()
	if err := expect("the sum of the first channel's values", sumA, sumBelow(n/2)); err != nil {
		return err
	}
	return expect("the sum of the second channel's values", sumB, sumBelow(n/2))
}

// selectDefault: n selects over two empty channels, with a default.
func selectDefault(n int) error {
	a, b := make(chan int), make(chan int)
	misses := 0
	for range n {
		select {
		case <-a:
		case <-b:
		default:
			misses++
		}
	}
	return expect("the number of times that the default was chosen", misses, n)
}

// select8: one goroutine selects over 8 unbuffered channels; a producer feeds n/8 values into each. Spelt out: reflect.Select
// is many times slower.
func select8(n int) error {
	var ch [8]chan int
	var sums [8]int
	for c := range ch {
		ch[c] = make(chan int)
		go func() {
			for i := range n / len(ch) {
				ch[c] <- i
			}
		}()
	}
	for range n {
		select {
		case v := <-ch[0]:
			sums[0] += v
		case v := <-ch[1]:
			sums[1] += v
		case v := <-ch[2]:
			sums[2] += v
		case v := <-ch[3]:
			sums[3] += v
		case v := <-ch[4]:
			sums[4] += v
		case v := <-ch[5]:
			sums[5] += v
		case v := <-ch[6]:
			sums[6] += v
		case v := <-ch[7]:
			sums[7] += v
		}
	}
	for _, sum := range sums {
		if err := expect("the sum of one channel's values", sum, sumBelow(n/len(ch))); err != nil {
			return err
		}
	}
	return nil
}

// selectSend: one goroutine selects over a send on one channel, whose other side takes n/2 values, and a receive from another, whose
// other side sends n/2.
func selectSend(n int) error {
	to, from := make(chan int), make(chan int)
	taken := make(chan int)
	go func() {
		sum := 0
		for range n / 2 {
			sum += <-to
		}
		taken <- sum
	}()
	go func() {
		for i := range n / 2 {
			from <- i
		}
	}()
	sent, sum := 0, 0
	for range n {
		select {
		case to <- sent:
			sent++
		case v := <-from:
			sum += v
		}
	}
	if err := expect("the number of values sent", sent, n/2); err != nil {
		return err
	}
	if err := expect("the sum of the values sent", <-taken, sumBelow(n/2)); err != nil {
		return err
	}
	return expect("the sum of the values received", sum, sumBelow(n/2))
}

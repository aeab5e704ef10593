package main

import (
	"context"
	"sync"
)

// unbuffered: one producer, one consumer, n values.
func unbuffered(n int) error {
	return oneToOne(n, make(chan int))
}

// buffered128: one producer, one consumer, n values over a capacity of 128.
func buffered128(n int) error {
	return oneToOne(n, make(chan int, 128))
}

func oneToOne(n int, ch chan int) error {
	var sender sync.WaitGroup
	sender.Go(func() {
		for i := range n {
			ch <- i
		}
		close(ch)
	})
	sum := 0
	for v := range ch {
		sum += v
	}
	sender.Wait()
	return expect("the sum of the values", sum, sumBelow(n))
}

// oneToOneCtx: as oneToOne, and each operation would end with a context.
func oneToOneCtx(n int, ch chan int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var sender sync.WaitGroup
	sender.Go(func() {
		for i := range n {
			select {
			case ch <- i:
			case <-ctx.Done():
				return
			}
		}
		close(ch)
	})
	sum := 0
	for open := true; open; {
		var v int
		select {
		case v, open = <-ch:
			sum += v
		case <-ctx.Done():
			open = false
		}
	}
	sender.Wait()
	return expect("the sum of the values", sum, sumBelow(n))
}

func unbufferedCtx(n int) error { return oneToOneCtx(n, make(chan int)) }
func bufferedCtx(n int) error   { return oneToOneCtx(n, make(chan int, 128)) }

// carry: as buffered128, with elements of another type.
func carry[T any](n int, pack func(int) T, unpack func(*T) int) error {
	ch := make(chan T, 128)
	go func() {
		defer close(ch)
		for i := range n {
			ch <- pack(i)
		}
	}()
	sum := 0
	for v := range ch {
		sum += unpack(&v)
	}
	return expect("the sum of the values", sum, sumBelow(n))
}

// chanArray64 and chanArray1K: the first and the last word of the element are the number.
func chanArray64(n int) error {
	return carry(n, func(i int) (v [8]int) { v[0], v[7] = i, i; return },
		func(v *[8]int) int { return (v[0] + v[7]) / 2 })
}

func chanArray1K(n int) error {
	return carry(n, func(i int) (v [128]int) { v[0], v[127] = i, i; return },
		func(v *[128]int) int { return (v[0] + v[127]) / 2 })
}

// chanPointer: each value is allocated by its sender.
func chanPointer(n int) error {
	return carry(n, func(i int) *int { return &i }, func(v **int) int { return **v })
}

const fanIn = 100

// fanIn100: a hundred senders, one receiver.
func fanIn100(n int) error {
	ch := make(chan int, 128)
	for range fanIn {
		go func() {
			for i := range n / fanIn {
				ch <- i
			}
		}()
	}
	sum := 0
	for range n {
		sum += <-ch
	}
	return expect("the sum of the values", sum, fanIn*sumBelow(n/fanIn))
}

// pingPong: n round trips over two unbuffered channels.
func pingPong(n int) error {
	ping, pong := make(chan int), make(chan int)
	go func() {
		defer close(pong)
		for v := range ping {
			pong <- v + 1
		}
	}()
	v := 0
	for range n {
		ping <- v
		v = <-pong
	}
	close(ping)
	<-pong
	return expect("the token", v, n)
}

// bufferedUncontended: n times: one goroutine sends a value and receives it.
func bufferedUncontended(n int) error {
	ch := make(chan int, 1)
	sum := 0
	for i := range n {
		ch <- i
		sum += <-ch
	}
	return expect("the sum of the values", sum, sumBelow(n))
}

// mpmc4x4: 4 senders, 4 receivers, n values over a capacity of 128.
func mpmc4x4(n int) error {
	ch := make(chan int, 128)
	var senders, receivers sync.WaitGroup
	for s := range 4 {
		senders.Go(func() {
			for i := s; i < n; i += 4 {
				ch <- i
			}
		})
	}
	var sums [4]int
	for r := range sums {
		receivers.Go(func() {
			sum := 0
			for v := range ch {
				sum += v
			}
			sums[r] = sum
		})
	}
	senders.Wait()
	close(ch)
	receivers.Wait()
	return expect("the sum of the values", sums[0]+sums[1]+sums[2]+sums[3], sumBelow(n))
}

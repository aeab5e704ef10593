package main

import (
	"errors"
	"slices"
	"sync"
)

const (
	sievePrimes  = 500
	sieveLast    = 3571   // the 500th prime
	sieveSum     = 824693 // of the first 500 primes
	skynetLeaves = 1_000_000
	skynetFanout = 10
	skynetTheSum = skynetLeaves * (skynetLeaves - 1) / 2
)

// ring: a token makes n hops around size goroutines, of which the caller is one.
func ring(size int) func(n int) error {
	return func(n int) error {
		laps := n / size
		first := make(chan int)
		in := first
		var others sync.WaitGroup
		for range size - 1 {
			out := make(chan int)
			others.Add(1)
			go func(in <-chan int) {
				defer others.Done()
				for v := range in {
					out <- v + 1
				}
				close(out)
			}(in)
			in = out
		}
		token := 0
		for range laps {
			first <- token
			token = <-in + 1
		}
		close(first)
		others.Wait()
		return expect("the token", token, n)
	}
}

// pipeline10: n values through ten stages that add one each.
func pipeline10(n int) error {
	const stages = 10
	source := make(chan int)
	go func() {
		defer close(source)
		for i := range n {
			source <- i
		}
	}()
	in := source
	for range stages {
		out := make(chan int)
		go func(in <-chan int) {
			defer close(out)
			for v := range in {
				out <- v + 1
			}
		}(in)
		in = out
	}
	sum := 0
	for v := range in {
		sum += v
	}
	return expect("the sum of the values", sum, sumBelow(n)+stages*n)
}

// parallelTransform: four workers double n values; the results come in the order of the values. A job carries the channel
// that its result comes back on, and the queue of these channels keeps the order.
func parallelTransform(n int) error {
	const workers, window = 4, 8
	type job struct {
		value  int
		result chan int
	}
	jobs := make(chan job)
	order := make(chan chan int, window)
	free := make(chan chan int, 2*window) // channels that have been used, to be used again
	for range cap(free) {
		free <- make(chan int, 1)
	}
	go func() {
		defer close(jobs)
		defer close(order)
		for i := range n {
			result := <-free
			order <- result
			jobs <- job{i, result}
		}
	}()
	for range workers {
		go func() {
			for j := range jobs {
				j.result <- 2 * j.value
			}
		}()
	}
	next := 0
	for result := range order {
		if <-result != 2*next {
			return errors.New("wrong result: the results are out of order")
		}
		next++
		free <- result
	}
	return expect("the number of results", next, n)
}

// quicksort1M: sorts a million numbers; each part of more than 2048 is split, and one half of it gets a goroutine.
func quicksort1M(int) error {
	numbers := make([]int64, 1_000_000)
	seed, sum := uint64(1), uint64(0)
	for i := range numbers {
		seed = seed*6364136223846793005 + 1442695040888963407
		numbers[i] = int64(seed >> 1)
		sum += uint64(numbers[i])
	}
	quicksort(numbers)
	for _, v := range numbers {
		sum -= uint64(v)
	}
	if !slices.IsSorted(numbers) {
		return errors.New("wrong result: the numbers are not sorted")
	}
	return expect("what the sum has changed by", int(sum), 0)
}

func quicksort(a []int64) {
	var halves sync.WaitGroup
	for len(a) > 2048 {
		middle := split(a)
		half := a[:middle]
		halves.Add(1)
		go func() {
			defer halves.Done()
			quicksort(half)
		}()
		a = a[middle:]
	}
	slices.Sort(a)
	halves.Wait()
}

// split moves what is less than the pivot to the front, and returns where the rest begins: never all or nothing.
func split(a []int64) int {
	last := len(a) - 1
	pivot := max(min(a[0], a[last]), min(max(a[0], a[last]), a[len(a)/2]))
	i, j := 0, last
	for {
		for a[i] < pivot {
			i++
		}
		for pivot < a[j] {
			j--
		}
		if i >= j {
			return max(i, 1)
		}
		a[i], a[j] = a[j], a[i]
		i++
		j--
	}
}

// sieve500: the concurrent prime sieve over 2…3571, among which are the first 500 primes. Whoever sends or receives also
// watches a channel that says to stop.
func sieve500(int) error {
	stop := make(chan int)
	ch := make(chan int)
	var all sync.WaitGroup
	all.Add(1)
	go func(out chan<- int) {
		defer all.Done()
		for v := 2; v <= sieveLast; v++ {
			select {
			case out <- v:
			case <-stop:
				return
			}
		}
	}(ch)
	sum := 0
	for range sievePrimes {
		prime := <-ch
		sum += prime
		next := make(chan int)
		all.Add(1)
		go func(in <-chan int, out chan<- int) {
			defer all.Done()
			for {
				select {
				case v := <-in:
					if v%prime == 0 {
						continue
					}
					select {
					case out <- v:
					case <-stop:
						return
					}
				case <-stop:
					return
				}
			}
		}(ch, next)
		ch = next
	}
	close(stop)
	all.Wait()
	return expect("the sum of the primes", sum, sieveSum)
}

// sieveRange: the same, but the numbers' channel is closed at the end, and each filter ranges over what comes.
func sieveRange(int) error {
	ch := make(chan int)
	go func(out chan<- int) {
		defer close(out)
		for v := 2; v <= sieveLast; v++ {
			out <- v
		}
	}(ch)
	sum := 0
	for range sievePrimes {
		prime := <-ch
		sum += prime
		next := make(chan int)
		go sieveFilter(ch, next, prime)
		ch = next
	}
	if _, more := <-ch; more {
		return errors.New("wrong result: there are more than 500 primes up to 3571")
	}
	return expect("the sum of the primes", sum, sieveSum)
}

// sieveFilter passes on what prime does not divide.
func sieveFilter(in <-chan int, out chan<- int, prime int) {
	defer close(out)
	for v := range in {
		if v%prime != 0 {
			out <- v
		}
	}
}

// skynet1M: a tree of goroutines, ten children to a node, sums the numbers of its million leaves.
func skynet1M(int) error {
	result := make(chan int)
	var root sync.WaitGroup
	root.Add(1)
	go skynet(&root, result, 0, skynetLeaves)
	sum := <-result
	root.Wait()
	return expect("the sum of the leaves", sum, skynetTheSum)
}

func skynet(siblings *sync.WaitGroup, result chan<- int, number, leaves int) {
	defer siblings.Done()
	if leaves == 1 {
		result <- number
		return
	}
	sums := make(chan int)
	var children sync.WaitGroup
	children.Add(skynetFanout)
	for i := range skynetFanout {
		go skynet(&children, sums, number+i*(leaves/skynetFanout), leaves/skynetFanout)
	}
	sum := 0
	for range skynetFanout {
		sum += <-sums
	}
	result <- sum
	children.Wait()
}

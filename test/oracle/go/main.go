// Command cross_go does in Go what ../cross.cpp does with tenon, scenario by scenario.
//
//	cross_go list
//	cross_go SCENARIO
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"
)

var scenarios = []struct {
	name string
	body func()
}{
	{"unbuffered_order", func() {
		c := make(chan int)
		go func() {
			for i := range 10 {
				c <- i
			}
			close(c)
		}()
		for v := range c {
			fmt.Println(v)
		}
	}},
	{"buffered_order", func() {
		c := make(chan int, 3)
		for i := range 3 {
			fmt.Println(len(c), cap(c))
			c <- i
		}
		fmt.Println(len(c), cap(c))
		for range 3 {
			fmt.Println(<-c)
		}
	}},
	{"nil_len_cap", func() {
		var c chan int
		fmt.Println(len(c), cap(c))
	}},
	{"close_drains", func() {
		c := make(chan int, 2)
		c <- 1
		c <- 2
		close(c)
		for range 4 {
			v, ok := <-c
			fmt.Println(v, ok)
		}
	}},
	{"senders_in_order", func() {
		c := make(chan int)
		ready := make(chan struct{})
		for i := range 4 {
			go func() {
				ready <- struct{}{}
				c <- i
			}()
			<-ready
			time.Sleep(20 * time.Millisecond)
		}
		for range 4 {
			fmt.Println(<-c)
		}
	}},
	{"ping_pong", func() {
		ping, pong := make(chan int), make(chan int)
		go func() {
			for v := range ping {
				pong <- v + 1
			}
			close(pong)
		}()
		v := 0
		for range 1000 {
			ping <- v
			v = <-pong
		}
		close(ping)
		_, ok := <-pong
		fmt.Println(v, ok)
	}},
	{"sieve", func() {
		c := make(chan int)
		go func(numbers chan<- int) {
			for i := 2; i < 72; i++ {
				numbers <- i
			}
			close(numbers)
		}(c)
		for range 20 {
			prime := <-c
			fmt.Println(prime)
			next := make(chan int)
			go func(in <-chan int) {
				for v := range in {
					if v%prime != 0 {
						next <- v
					}
				}
				close(next)
			}(c)
			c = next
		}
		_, ok := <-c
		fmt.Println(ok)
	}},
	{"pipeline", func() {
		gen := func(n int) <-chan int {
			out := make(chan int)
			go func() {
				for i := 1; i <= n; i++ {
					out <- i
				}
				close(out)
			}()
			return out
		}
		sq := func(in <-chan int) <-chan int {
			out := make(chan int)
			go func() {
				for v := range in {
					out <- v * v
				}
				close(out)
			}()
			return out
		}
		for v := range sq(sq(gen(6))) {
			fmt.Println(v)
		}
	}},
	{"fan_in", func() {
		out := make(chan int)
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := range 5 {
					out <- worker*10 + i
				}
			}()
		}
		go func() {
			wg.Wait()
			close(out)
		}()
		var all []int
		for v := range out {
			all = append(all, v)
		}
		sort.Ints(all)
		fmt.Println(len(all), all[0], all[len(all)-1])
	}},
	{"select_the_ready_one", func() {
		a, b := make(chan int, 1), make(chan int, 1)
		b <- 7
		select {
		case v := <-a:
			fmt.Println("a", v)
		case v := <-b:
			fmt.Println("b", v)
		}
	}},
	{"select_otherwise", func() {
		c := make(chan int)
		select {
		case <-c:
			fmt.Println("received")
		default:
			fmt.Println("otherwise")
		}
	}},
	{"select_nil", func() {
		var never chan int
		c := make(chan int, 1)
		for range 3 {
			select {
			case never <- 1:
				fmt.Println("never")
			case c <- 2:
				fmt.Println("sent", <-c)
			}
		}
	}},
	{"select_closed", func() {
		c := make(chan int)
		close(c)
		select {
		case v, ok := <-c:
			fmt.Println(v, ok)
		default:
			fmt.Println("otherwise")
		}
	}},
	{"select_all_values", func() {
		a, b := make(chan int), make(chan int)
		for _, c := range []chan int{a, b} {
			go func() {
				for i := range 100 {
					c <- i
				}
				close(c)
			}()
		}
		sum := 0
		for a != nil || b != nil {
			select {
			case v, ok := <-a:
				sum += v
				if !ok {
					a = nil
				}
			case v, ok := <-b:
				sum += v
				if !ok {
					b = nil
				}
			}
		}
		fmt.Println(sum)
	}},
	{"send_on_closed", func() {
		c := make(chan int, 1)
		close(c)
		fmt.Println(panics(func() { c <- 1 }))
	}},
	{"select_send_on_closed", func() {
		c := make(chan int)
		close(c)
		fmt.Println(panics(func() {
			select {
			case c <- 1:
			default:
			}
		}))
	}},
	{"close_wakes_a_sender", func() {
		c := make(chan int)
		said := make(chan string)
		go func() { said <- panics(func() { c <- 1 }) }()
		time.Sleep(20 * time.Millisecond)
		close(c)
		fmt.Println(<-said)
	}},
	{"close_of_closed", func() {
		c := make(chan int)
		close(c)
		fmt.Println(panics(func() { close(c) }))
	}},
	{"close_of_nil", func() {
		var c chan int
		fmt.Println(panics(func() { close(c) }))
	}},
	{"negative_capacity", func() {
		n := -1
		fmt.Println(panics(func() { _ = make(chan int, n) }))
	}},
	{"wait_group", func() {
		var wg sync.WaitGroup
		var results [10]int
		for i := range results {
			wg.Add(1)
			go func() {
				defer wg.Done()
				results[i] = i * i
			}()
		}
		wg.Wait()
		for _, r := range results {
			fmt.Println(r)
		}
	}},
	{"wait_group_negative", func() {
		var wg sync.WaitGroup
		fmt.Println(panics(func() { wg.Done() }))
	}},
	{"mutex", func() {
		var mu sync.Mutex
		var wg sync.WaitGroup
		count := 0
		for range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 1000 {
					mu.Lock()
					count++
					mu.Unlock()
				}
			}()
		}
		wg.Wait()
		fmt.Println(count, mu.TryLock(), mu.TryLock())
	}},
	{"rwmutex", func() {
		var mu sync.RWMutex
		mu.RLock()
		fmt.Println(mu.TryRLock(), mu.TryLock())
		mu.RUnlock()
		mu.RUnlock()
		fmt.Println(mu.TryLock(), mu.TryRLock())
	}},
	{"unlock_of_unlocked", func() {
		var mu sync.Mutex
		mu.Unlock()
	}},
	{"rwmutex_unlock_of_unlocked", func() {
		var mu sync.RWMutex
		mu.Unlock()
	}},
	{"rwmutex_runlock_of_unlocked", func() {
		var mu sync.RWMutex
		mu.RUnlock()
	}},
	{"once_after_a_panic", func() {
		var once sync.Once
		fmt.Println(panics(func() { once.Do(func() { panic("failed") }) }))
		once.Do(func() { fmt.Println("again") })
		fmt.Println("done")
	}},
	{"cond_order", func() {
		var mu sync.Mutex
		cond := sync.NewCond(&mu)
		order := make(chan int)
		for i := range 4 {
			go func() {
				mu.Lock()
				cond.Wait()
				mu.Unlock()
				order <- i
			}()
			time.Sleep(20 * time.Millisecond)
		}
		for range 4 {
			cond.Signal()
			fmt.Println(<-order)
		}
	}},
	{"cond_broadcast", func() {
		var mu sync.Mutex
		cond := sync.NewCond(&mu)
		woken := make(chan int, 4)
		for range 4 {
			go func() {
				mu.Lock()
				cond.Wait()
				mu.Unlock()
				woken <- 1
			}()
		}
		time.Sleep(40 * time.Millisecond)
		cond.Broadcast()
		sum := 0
		for range 4 {
			sum += <-woken
		}
		fmt.Println(sum)
	}},
	{"map", func() {
		var m sync.Map
		m.Store("a", 1)
		v, ok := m.Load("a")
		fmt.Println(v, ok)
		v, ok = m.LoadOrStore("a", 2)
		fmt.Println(v, ok)
		v, ok = m.LoadOrStore("b", 2)
		fmt.Println(v, ok)
		fmt.Println(m.CompareAndSwap("a", 2, 3), m.CompareAndSwap("a", 1, 3), m.CompareAndDelete("a", 1))
		v, ok = m.LoadAndDelete("a")
		fmt.Println(v, ok)
		_, ok = m.Load("a")
		fmt.Println(ok)
	}},
	{"context_cancel", func() {
		ctx, cancel := context.WithCancel(context.Background())
		fmt.Println(ctx.Err() == nil)
		cancel()
		<-ctx.Done()
		fmt.Println(ctx.Err())
		fmt.Println(context.Cause(ctx))
	}},
	{"context_deadline", func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		<-ctx.Done()
		fmt.Println(ctx.Err())
		fmt.Println(context.Cause(ctx))
	}},
	{"context_timeout_cause", func() {
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Millisecond, errors.New("too slow"))
		defer cancel()
		<-ctx.Done()
		fmt.Println(ctx.Err())
		fmt.Println(context.Cause(ctx))
	}},
	{"context_cause", func() {
		parent, cancel := context.WithCancelCause(context.Background())
		child, cancelChild := context.WithCancelCause(parent)
		cancel(errors.New("first"))
		cancel(errors.New("second"))
		cancelChild(errors.New("third"))
		fmt.Println(child.Err())
		fmt.Println(context.Cause(parent))
		fmt.Println(context.Cause(child))
	}},
	{"context_child_first", func() {
		parent, cancel := context.WithCancelCause(context.Background())
		child, cancelChild := context.WithCancelCause(parent)
		cancelChild(errors.New("child"))
		fmt.Println(parent.Err() == nil)
		cancel(errors.New("parent"))
		fmt.Println(context.Cause(child))
		fmt.Println(context.Cause(parent))
	}},
	{"context_value", func() {
		type key string
		root := context.WithValue(context.Background(), key("name"), "outer")
		inner := context.WithValue(root, key("name"), "inner")
		child, cancel := context.WithCancel(inner)
		defer cancel()
		fmt.Println(root.Value(key("name")), child.Value(key("name")), child.Value(key("other")) == nil)
	}},
	{"context_without_cancel", func() {
		parent, cancel := context.WithTimeout(context.Background(), time.Hour)
		detached := context.WithoutCancel(parent)
		cancel()
		_, limited := detached.Deadline()
		fmt.Println(parent.Err(), detached.Err() == nil, detached.Done() == nil, limited)
	}},
	{"context_earlier_deadline", func() {
		parent, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		child, cancelChild := context.WithTimeout(parent, 2*time.Hour)
		defer cancelChild()
		a, _ := parent.Deadline()
		b, _ := child.Deadline()
		fmt.Println(a.Equal(b))
	}},
	{"context_names", func() {
		fmt.Println(context.Background())
		fmt.Println(context.TODO())
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		fmt.Println(ctx)
		fmt.Println(context.WithoutCancel(ctx))
	}},
	{"after_func_stopped", func() {
		ctx, cancel := context.WithCancel(context.Background())
		stop := context.AfterFunc(ctx, func() { fmt.Println("ran") })
		fmt.Println(stop(), stop())
		cancel()
	}},
	{"after_func_runs", func() {
		ctx, cancel := context.WithCancel(context.Background())
		ran := make(chan string)
		stop := context.AfterFunc(ctx, func() { ran <- "ran" })
		cancel()
		fmt.Println(<-ran)
		fmt.Println(stop())
	}},
	{"timer_stop", func() {
		t := time.NewTimer(time.Hour)
		fmt.Println(t.Stop(), t.Stop(), t.Reset(time.Millisecond))
		<-t.C
		fmt.Println(t.Stop())
	}},
	{"timer_without_a_stale_tick", func() {
		t := time.NewTimer(time.Millisecond)
		time.Sleep(20 * time.Millisecond)
		fmt.Println(t.Reset(time.Hour))
		select {
		case <-t.C:
			fmt.Println("stale")
		default:
			fmt.Println("none")
		}
		fmt.Println(len(t.C), cap(t.C), t.Stop())
	}},
	{"ticker", func() {
		t := time.NewTicker(time.Millisecond)
		for range 3 {
			<-t.C
			fmt.Println("tick")
		}
		t.Stop()
		fmt.Println(panics(func() { time.NewTicker(0) }))
	}},
	{"full_buffer_and_senders", func() {
		c := make(chan int, 2)
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				c <- i
			}()
			time.Sleep(20 * time.Millisecond)
		}
		fmt.Println(len(c), cap(c))
		for range 5 {
			fmt.Println(<-c)
		}
		wg.Wait()
		fmt.Println(len(c), cap(c))
	}},
	{"close_wakes_every_receiver", func() {
		c := make(chan int)
		said := make(chan bool)
		var never chan int
		for i := range 6 {
			go func() {
				if i%2 == 0 {
					_, ok := <-c
					said <- ok
				} else {
					select {
					case _, ok := <-c:
						said <- ok
					case <-never:
					}
				}
			}()
		}
		time.Sleep(40 * time.Millisecond)
		close(c)
		for range 6 {
			fmt.Println(<-said)
		}
	}},
	{"select_with_oneself", func() {
		c := make(chan int, 1)
		for i := range 4 {
			select {
			case c <- i:
				fmt.Println("sent", i, len(c))
			case v := <-c:
				fmt.Println("received", v, len(c))
			}
		}
	}},
	{"select_switches_cases_off", func() {
		in := make(chan int, 1)
		in <- 3
		var out chan int
		held, course := 0, ""
		other := make(chan int, 1)
		for range 6 {
			select {
			case held = <-in:
				in, out = nil, other
				course += "r"
			case out <- held:
				<-out
				out = nil
				course += "s"
			default:
				course += "d"
			}
		}
		fmt.Println(course, held)
	}},
	{"wait_group_waiters", func() {
		var wg, waiters sync.WaitGroup
		wg.Add(2)
		woken := make(chan int, 3)
		for i := range 3 {
			waiters.Add(1)
			go func() {
				defer waiters.Done()
				wg.Wait()
				woken <- i
			}()
		}
		time.Sleep(20 * time.Millisecond)
		wg.Done()
		time.Sleep(20 * time.Millisecond)
		fmt.Println(len(woken))
		wg.Done()
		waiters.Wait()
		fmt.Println(len(woken))
		wg.Add(1)
		wg.Done()
		wg.Wait()
		wg.Add(1)
		fmt.Println(panics(func() { wg.Add(-2) }))
	}},
	{"rwmutex_writer_first", func() {
		var mu sync.RWMutex
		order := make(chan string, 2)
		mu.RLock()
		go func() {
			mu.Lock()
			order <- "writer"
			mu.Unlock()
		}()
		time.Sleep(20 * time.Millisecond)
		fmt.Println(mu.TryRLock())
		read := make(chan bool)
		go func() {
			mu.RLock()
			order <- "reader"
			mu.RUnlock()
			close(read)
		}()
		time.Sleep(20 * time.Millisecond)
		fmt.Println(len(order))
		mu.RUnlock()
		for range 2 {
			fmt.Println(<-order)
		}
		<-read
		fmt.Println(mu.TryRLock())
	}},
	{"rwmutex_readers_after_a_writer", func() {
		var mu sync.RWMutex
		order := make(chan string, 2)
		mu.Lock()
		go func() {
			mu.Lock()
			order <- "writer"
			mu.Unlock()
		}()
		time.Sleep(20 * time.Millisecond)
		go func() {
			mu.RLock()
			order <- "reader"
			mu.RUnlock()
		}()
		time.Sleep(20 * time.Millisecond)
		mu.Unlock()
		for range 2 {
			fmt.Println(<-order)
		}
	}},
	{"once_of_two", func() {
		var once sync.Once
		once.Do(func() { fmt.Println("one") })
		once.Do(func() { fmt.Println("two") })
	}},
	{"once_value_panics", func() {
		runs := 0
		value := sync.OnceValue(func() int {
			runs++
			panic("no value")
		})
		function := sync.OnceFunc(func() {
			runs++
			panic("no more")
		})
		for range 2 {
			fmt.Println(panics(func() { value() }))
			fmt.Println(panics(function))
		}
		fmt.Println(runs)
		fine := sync.OnceValue(func() int {
			runs++
			return runs
		})
		once := fine()
		fmt.Println(once, fine(), runs)
	}},
	{"cond_signals_are_not_kept", func() {
		var mu sync.Mutex
		cond := sync.NewCond(&mu)
		cond.Signal()
		cond.Broadcast()
		woken := make(chan int, 5)
		var wg sync.WaitGroup
		for range 5 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				mu.Lock()
				cond.Wait()
				mu.Unlock()
				woken <- 1
			}()
		}
		time.Sleep(30 * time.Millisecond)
		fmt.Println(len(woken))
		cond.Signal()
		cond.Signal()
		time.Sleep(30 * time.Millisecond)
		fmt.Println(len(woken))
		cond.Broadcast()
		wg.Wait()
		fmt.Println(len(woken))
	}},
	{"map_swap_and_range", func() {
		var m sync.Map
		swapped := func(v any, ok bool) {
			if v == nil {
				v = 0
			}
			fmt.Println(v, ok)
		}
		swapped(m.Swap("a", 1))
		swapped(m.Swap("a", 2))
		fmt.Println(m.CompareAndSwap("b", 0, 1), m.CompareAndDelete("b", 0))
		swapped(m.LoadAndDelete("b"))
		m.Store("b", 3)
		m.Store("c", 4)
		seen := 0
		m.Range(func(any, any) bool {
			seen++
			return seen < 2
		})
		fmt.Println(seen)
		sum := 0
		m.Range(func(key, v any) bool {
			sum += v.(int)
			m.Delete(key)
			return true
		})
		fmt.Println(sum)
		m.Store("d", 5)
		m.Clear()
		_, ok := m.Load("d")
		fmt.Println(ok)
	}},
	{"context_cause_through_layers", func() {
		type key string
		top, cancelTop := context.WithCancelCause(context.Background())
		middle, cancelMiddle := context.WithCancel(context.WithValue(top, key("key"), 7))
		limited, cancelLimited := context.WithTimeoutCause(middle, time.Hour, errors.New("too late"))
		defer cancelLimited()
		below, cancelBelow := context.WithCancelCause(limited)
		defer cancelBelow(nil)
		aside, cancelAside := context.WithCancelCause(top)
		defer cancelAside(nil)
		cancelMiddle()
		fmt.Println(top.Err(), context.Cause(top))
		fmt.Println(limited.Err(), context.Cause(limited))
		fmt.Println(below.Err(), context.Cause(below), below.Value(key("key")))
		cancelTop(errors.New("the top"))
		fmt.Println(context.Cause(top), "|", context.Cause(middle), "|", context.Cause(below), "|", context.Cause(aside))
		late, cancelLate := context.WithCancel(top)
		defer cancelLate()
		fmt.Println(late.Err(), context.Cause(late))
	}},
	{"context_cause_of_none", func() {
		fmt.Println(context.Cause(context.Background()))
		ctx, cancel := context.WithCancelCause(context.Background())
		fmt.Println(context.Cause(ctx))
		cancel(nil)
		fmt.Println(context.Cause(ctx))
		cancel(errors.New("later"))
		fmt.Println(context.Cause(ctx))
	}},
	{"context_deadline_in_the_past", func() {
		ctx, cancel := context.WithDeadlineCause(context.Background(), time.Now().Add(-time.Hour), errors.New("long ago"))
		defer cancel()
		_, has := ctx.Deadline()
		fmt.Println(ctx.Err(), context.Cause(ctx), has)
		child, cancelChild := context.WithCancelCause(ctx)
		cancelChild(errors.New("mine"))
		fmt.Println(child.Err(), context.Cause(child))
		limited, cancelLimited := context.WithTimeout(context.Background(), -time.Second)
		fmt.Println(limited.Err(), context.Cause(limited))
		cancelLimited()
		fmt.Println(limited.Err())
	}},
	{"context_timeout_under_an_earlier_one", func() {
		parent, cancel := context.WithTimeoutCause(context.Background(), 10*time.Millisecond, errors.New("the parent"))
		defer cancel()
		child, cancelChild := context.WithTimeoutCause(parent, time.Hour, errors.New("the child"))
		defer cancelChild()
		<-child.Done()
		fmt.Println(child.Err(), context.Cause(child))
		other, cancelOther := context.WithCancelCause(context.Background())
		limited, cancelLimited := context.WithTimeoutCause(other, time.Hour, errors.New("the child"))
		defer cancelLimited()
		cancelOther(errors.New("the parent"))
		fmt.Println(limited.Err(), context.Cause(limited))
	}},
	{"context_deadline_without_cancel", func() {
		type key string
		parent, cancel := context.WithCancelCause(context.WithValue(context.Background(), key("key"), 7))
		detached := context.WithoutCancel(parent)
		limited, cancelLimited := context.WithTimeout(detached, 10*time.Millisecond)
		defer cancelLimited()
		cancel(errors.New("the parent"))
		fmt.Println(detached.Err() == nil, context.Cause(detached), limited.Err() == nil, limited.Value(key("key")))
		<-limited.Done()
		fmt.Println(limited.Err(), context.Cause(limited), detached.Err() == nil)
	}},
	{"context_errors", func() {
		ctx, cancel := context.WithTimeout(context.Background(), -time.Second)
		defer cancel()
		timedOut := fmt.Errorf("fetch: %w", ctx.Err())
		fmt.Println(timedOut, errors.Is(timedOut, context.DeadlineExceeded), errors.Is(timedOut, context.Canceled))
		fmt.Println(errors.Unwrap(timedOut) == context.DeadlineExceeded, errors.Is(errors.New("fetch"), context.Canceled))
		var none context.Context
		fmt.Println(panics(func() { context.WithCancel(none) }))
		fmt.Println(panics(func() { context.WithTimeout(none, time.Hour) }))
		fmt.Println(panics(func() { context.WithoutCancel(none) }))
	}},
	{"after_func_of_a_canceled_one", func() {
		ctx, cancel := context.WithCancel(context.Background())
		ran := make(chan int)
		cancel()
		stop := context.AfterFunc(ctx, func() { ran <- 1 })
		fmt.Println(<-ran, stop())
	}},
	{"after_func_of_many", func() {
		ctx, cancel := context.WithCancel(context.Background())
		ran := make(chan int)
		var stops []func() bool
		for i := 1; i <= 4; i++ {
			stops = append(stops, context.AfterFunc(ctx, func() { ran <- i }))
		}
		fmt.Println(stops[1]())
		cancel()
		sum := 0
		for range 3 {
			sum += <-ran
		}
		fmt.Println(sum, stops[0](), stops[1]())
	}},
	{"timer_func", func() {
		ran := make(chan int)
		t := time.AfterFunc(time.Hour, func() { ran <- 1 })
		fmt.Println(t.C == nil)
		first := t.Stop()
		second := t.Stop()
		fmt.Println(first, second, t.Reset(time.Millisecond))
		fmt.Println(<-ran, t.Stop())
		fmt.Println(t.Reset(time.Hour), t.Reset(time.Millisecond))
		fmt.Println(<-ran, t.Reset(time.Hour))
		fmt.Println(t.Stop())
	}},
	{"timer_in_the_past", func() {
		t := time.NewTimer(-time.Second)
		<-t.C
		fmt.Println(t.Reset(0))
		<-t.C
		<-time.After(-time.Second)
		fmt.Println(t.Stop())
	}},
	{"ticker_reset", func() {
		t := time.NewTicker(time.Hour)
		t.Reset(time.Millisecond)
		<-t.C
		fmt.Println("tick", len(t.C), cap(t.C))
		t.Stop()
		select {
		case <-t.C:
			fmt.Println("tick")
		default:
			fmt.Println("none")
		}
		t.Reset(time.Millisecond)
		<-t.C
		fmt.Println("tick")
		fmt.Println(panics(func() { t.Reset(0) }))
		fmt.Println(panics(func() { time.NewTicker(-1) }))
	}},
	{"uninitialised_timers", func() {
		fmt.Println(panics(func() { new(time.Timer).Stop() }))
		fmt.Println(panics(func() { new(time.Timer).Reset(time.Second) }))
		fmt.Println(panics(func() { new(time.Ticker).Reset(time.Second) }))
		fmt.Println(panics(func() { new(time.Ticker).Stop() }))
	}},
	{"panic_in_a_goroutine", func() {
		go func() { panic("of its own") }()
		select {}
	}},
	{"panic_of_a_send_in_a_goroutine", func() {
		go func() {
			c := make(chan int)
			close(c)
			c <- 1
		}()
		select {}
	}},
	{"go_of_nil", func() {
		var f func()
		go f()
		select {}
	}},
	{"deadlock_receive", func() { <-make(chan int) }},
	{"deadlock_send", func() { make(chan int) <- 1 }},
	{"deadlock_nil_receive", func() {
		var c chan int
		<-c
	}},
	{"deadlock_nil_send", func() {
		var c chan int
		c <- 1
	}},
	{"deadlock_select", func() {
		a, b := make(chan int), make(chan int)
		select {
		case <-a:
		case b <- 1:
		}
	}},
	{"deadlock_empty_select", func() { select {} }},
	{"deadlock_mutex", func() {
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
	}},
	{"deadlock_rwmutex", func() {
		var mu sync.RWMutex
		mu.RLock()
		mu.Lock()
	}},
	{"deadlock_wait_group", func() {
		var wg sync.WaitGroup
		wg.Add(1)
		wg.Wait()
	}},
	{"deadlock_cond", func() {
		var mu sync.Mutex
		cond := sync.NewCond(&mu)
		mu.Lock()
		cond.Wait()
	}},
	{"deadlock_of_two", func() {
		a, b := make(chan int), make(chan int)
		go func() {
			v := <-a
			b <- v
		}()
		v := <-b
		a <- v
	}},
	{"deadlock_once", func() {
		var once sync.Once
		once.Do(func() { once.Do(func() {}) })
	}},
	{"deadlock_range", func() {
		c := make(chan int, 1)
		c <- 1
		for v := range c {
			fmt.Println(v)
		}
	}},
}

// panics is what f panicked with.
func panics(f func()) (said string) {
	defer func() { said = fmt.Sprint(recover()) }()
	f()
	return
}

func main() {
	if len(os.Args) == 2 {
		for _, s := range scenarios {
			if os.Args[1] == "list" {
				fmt.Println(s.name)
			} else if os.Args[1] == s.name {
				s.body()
				return
			}
		}
		if os.Args[1] == "list" {
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: cross_go list | SCENARIO")
	os.Exit(3)
}

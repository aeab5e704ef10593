// Command cross_go_x does with golang.org/x what ../../cross_x.cpp does with tenon, scenario by scenario.
//
//	cross_go_x list
//	cross_go_x SCENARIO
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

// ms is the reservation's delay, -1 for never.
func ms(r *rate.Reservation, now time.Time) int64 {
	if !r.OK() {
		return -1
	}
	return r.DelayFrom(now).Milliseconds()
}

var scenarios = []struct {
	name string
	body func()
}{
	{"errgroup_first_failure", func() {
		g, ctx := errgroup.WithContext(context.Background())
		next := make(chan struct{})
		g.Go(func() error {
			<-next
			<-ctx.Done()
			return errors.New("second")
		})
		g.Go(func() error {
			next <- struct{}{}
			return errors.New("first")
		})
		g.Go(func() error { return nil })
		fmt.Println(g.Wait())
		fmt.Println(ctx.Err(), context.Cause(ctx))
	}},
	{"errgroup_success_cancels", func() {
		g, ctx := errgroup.WithContext(context.Background())
		g.Go(func() error { return nil })
		fmt.Println(ctx.Err() == nil)
		fmt.Println(g.Wait())
		fmt.Println(ctx.Err(), context.Cause(ctx))
	}},
	{"errgroup_of_none", func() {
		g, ctx := errgroup.WithContext(context.Background())
		fmt.Println(g.Wait())
		fmt.Println(ctx.Err())
		fmt.Println(g.Wait())
	}},
	{"errgroup_again", func() {
		g, ctx := errgroup.WithContext(context.Background())
		g.Go(func() error { return errors.New("first") })
		fmt.Println(g.Wait())
		g.Go(func() error { return fmt.Errorf("second: %w", ctx.Err()) })
		fmt.Println(g.Wait())
	}},
	{"errgroup_parent_canceled", func() {
		parent, cancel := context.WithCancelCause(context.Background())
		g, ctx := errgroup.WithContext(parent)
		g.Go(func() error {
			<-ctx.Done()
			return ctx.Err()
		})
		cancel(errors.New("why"))
		fmt.Println(g.Wait())
		fmt.Println(context.Cause(ctx))
	}},
	{"errgroup_limit", func() {
		g, _ := errgroup.WithContext(context.Background())
		g.SetLimit(2)
		stop, ended := make(chan struct{}), make(chan struct{})
		task := func() error {
			<-stop
			ended <- struct{}{}
			return nil
		}
		for range 3 {
			fmt.Println(g.TryGo(task))
		}
		fmt.Println(panics(func() { g.SetLimit(3) }))
		stop <- struct{}{}
		<-ended
		g.Go(task)
		fmt.Println(g.TryGo(task))
		stop <- struct{}{}
		stop <- struct{}{}
		<-ended
		<-ended
		fmt.Println(g.Wait())
		g.SetLimit(-1)
		for range 3 {
			fmt.Println(g.TryGo(func() error { return nil }))
		}
		fmt.Println(g.Wait())
	}},
	{"errgroup_limit_zero", func() {
		g, _ := errgroup.WithContext(context.Background())
		g.SetLimit(0)
		fmt.Println(g.TryGo(func() error { return nil }))
		fmt.Println(g.Wait())
		g.SetLimit(1)
		fmt.Println(g.TryGo(func() error { return nil }))
		fmt.Println(g.Wait())
	}},
	{"semaphore_in_order", func() {
		ctx := context.Background()
		s := semaphore.NewWeighted(3)
		s.Acquire(ctx, 2)
		order := make(chan int, 2)
		var g errgroup.Group
		g.Go(func() error {
			s.Acquire(ctx, 3)
			order <- 3
			s.Release(3)
			return nil
		})
		time.Sleep(20 * time.Millisecond)
		fmt.Println(s.TryAcquire(1))
		g.Go(func() error {
			s.Acquire(ctx, 1)
			order <- 1
			s.Release(1)
			return nil
		})
		time.Sleep(20 * time.Millisecond)
		fmt.Println(len(order))
		s.Release(2)
		fmt.Println(<-order)
		fmt.Println(<-order)
		g.Wait()
		fmt.Println(s.TryAcquire(3), s.TryAcquire(1))
	}},
	{"semaphore_gives_up", func() {
		s := semaphore.NewWeighted(3)
		s.Acquire(context.Background(), 1)
		ctx, cancel := context.WithCancel(context.Background())
		got := make(chan string)
		go func() { got <- fmt.Sprint(s.Acquire(ctx, 3)) }()
		time.Sleep(20 * time.Millisecond)
		go func() {
			s.Acquire(context.Background(), 2)
			got <- "two"
		}()
		time.Sleep(20 * time.Millisecond)
		cancel()
		first, second := <-got, <-got
		if first > second {
			first, second = second, first
		}
		fmt.Println(first, second, s.TryAcquire(1))
		fmt.Println(s.Acquire(ctx, 1))
	}},
	{"semaphore_too_much", func() {
		s := semaphore.NewWeighted(2)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		fmt.Println(s.Acquire(ctx, 3))
		fmt.Println(s.TryAcquire(3), s.TryAcquire(2), s.TryAcquire(0))
		fmt.Println(panics(func() { s.Release(3) }))
		s = semaphore.NewWeighted(2) // what has panicked has changed
		fmt.Println(panics(func() { s.Release(1) }))
	}},
	{"singleflight_shared", func() {
		var flights singleflight.Group
		began, land := make(chan struct{}), make(chan struct{})
		results := make(chan string, 3)
		runs := 0
		var g errgroup.Group
		fly := func() error {
			v, _, shared := flights.Do("key", func() (any, error) {
				runs++
				began <- struct{}{}
				<-land
				return 7, nil
			})
			results <- fmt.Sprint(v, " ", shared)
			return nil
		}
		g.Go(fly)
		<-began
		g.Go(fly)
		g.Go(fly)
		time.Sleep(30 * time.Millisecond)
		land <- struct{}{}
		g.Wait()
		for range 3 {
			fmt.Println(<-results)
		}
		v, _, shared := flights.Do("key", func() (any, error) { return 8, nil })
		fmt.Println(v, shared, runs)
	}},
	{"singleflight_fails_and_forgets", func() {
		var flights singleflight.Group
		_, err, _ := flights.Do("key", func() (any, error) { return nil, errors.New("no flight") })
		fmt.Println(err)
		began, land := make(chan struct{}), make(chan struct{})
		first := flights.DoChan("key", func() (any, error) {
			began <- struct{}{}
			<-land
			return 1, nil
		})
		<-began
		flights.Forget("key")
		v, _, shared := flights.Do("key", func() (any, error) { return 2, nil })
		fmt.Println(v, shared)
		land <- struct{}{}
		landed := <-first
		fmt.Println(landed.Val, landed.Err, landed.Shared)
	}},
	{"rate_reservations", func() {
		began := time.Unix(3600, 0)
		limit := rate.NewLimiter(10, 2)
		fmt.Println(limit.AllowN(began, 1), limit.AllowN(began, 3))
		a := limit.ReserveN(began, 1)
		b := limit.ReserveN(began, 1)
		c := limit.ReserveN(began, 2)
		d := limit.ReserveN(began, 3)
		fmt.Println(ms(a, began), ms(b, began), ms(c, began), ms(d, began))
		fmt.Println(ms(c, began.Add(150*time.Millisecond)), ms(c, began.Add(time.Second)))
		fmt.Println(limit.TokensAt(began), limit.TokensAt(began.Add(100*time.Millisecond)), limit.TokensAt(began.Add(time.Hour)))
		soon := began.Add(50 * time.Millisecond)
		c.CancelAt(soon)
		fmt.Println(limit.TokensAt(soon))
		b.CancelAt(soon)
		fmt.Println(limit.TokensAt(soon))
		a.CancelAt(soon)
		fmt.Println(limit.TokensAt(soon))
		fmt.Println(limit.AllowN(began.Add(time.Second), 2), limit.AllowN(began.Add(time.Second), 1))
	}},
	{"rate_edges", func() {
		began := time.Unix(3600, 0)
		none := rate.NewLimiter(0, 1)
		fmt.Println(none.AllowN(began, 1), none.AllowN(began.Add(24*time.Hour), 1))
		all := rate.NewLimiter(rate.Inf, 0)
		fmt.Println(all.AllowN(began, 1000), all.TokensAt(began))
		fmt.Println(rate.Every(0) == rate.Inf, rate.Every(-1) == rate.Inf, float64(rate.Every(100*time.Millisecond)))
		odd := rate.NewLimiter(1, -1)
		fmt.Println(odd.AllowN(began, 1), odd.AllowN(began, -1), odd.TokensAt(began), odd.Burst())
		back := rate.NewLimiter(1, 4)
		four := back.AllowN(began, 4)
		minus := back.AllowN(began, -3)
		tokens := back.TokensAt(began)
		fmt.Println(four, minus, tokens, back.AllowN(began, 3), back.AllowN(began.Add(-time.Hour), 1))
		back.SetBurstAt(began.Add(time.Hour), 2)
		fewer := back.TokensAt(began.Add(time.Hour))
		back.SetLimitAt(began.Add(2*time.Hour), 100)
		fmt.Println(fewer, back.TokensAt(began.Add(2*time.Hour)), float64(back.Limit()), back.Burst())
	}},
	{"rate_wait", func() {
		limit := rate.NewLimiter(0.001, 2)
		fmt.Println(limit.WaitN(context.Background(), 3))
		fmt.Println(limit.WaitN(context.Background(), 2))
		late, cancelLate := context.WithTimeout(context.Background(), time.Second)
		defer cancelLate()
		fmt.Println(limit.WaitN(late, 1))
		ctx, cancel := context.WithCancel(context.Background())
		said := make(chan error)
		go func() { said <- limit.WaitN(ctx, 1) }()
		time.Sleep(20 * time.Millisecond)
		cancel()
		fmt.Println(<-said)
		fmt.Println(limit.WaitN(ctx, 1))
		fmt.Println(rate.NewLimiter(rate.Inf, 0).WaitN(context.Background(), 5))
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
	fmt.Fprintln(os.Stderr, "usage: cross_go_x list | SCENARIO")
	os.Exit(3)
}

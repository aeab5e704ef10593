package main

import (
	"fmt"
	"time"
)

// row is one line of the comparison.
type row struct {
	name      string
	body      func(n int) error // does n operations and checks their result
	multiple  int               // n is a multiple of this; 0 means 1
	count     int               // unless 0, n is this, whatever --ms says
	whole     int               // unless 0, measured as whole runs of body(1), each of so many operations
	oneWorker bool              // measures a switch, which two workers would not make
	// Where the figure is not the time that the operations take: makes it, in about the time that is given.
	own func(target time.Duration) (measurement, error)
	// What is made before the clock starts and lives until it has stopped.
	around func(measured func())
}

type measurement struct {
	unit  string
	value float64
	ops   int
}

// measure warms r up and measures it once. The clock covers all of r.body: making the channels, starting the
// goroutines, the operations, and waiting for the goroutines to end.
func measure(r row, target time.Duration) (measurement, error) {
	if r.own != nil {
		return r.own(target)
	}
	if r.whole != 0 {
		_, err := timed(r, 1)
		ops, total := 0, time.Duration(0)
		for err == nil && total < target {
			var t time.Duration
			t, err = timed(r, 1)
			ops, total = ops+r.whole, total+t
		}
		return measurement{"ns/op", float64(total.Nanoseconds()) / float64(max(ops, 1)), ops}, err
	}
	if r.count != 0 {
		if _, err := timed(r, r.count); err != nil {
			return measurement{}, err
		}
		t, err := timed(r, r.count)
		return measurement{"ns/op", float64(t.Nanoseconds()) / float64(r.count), r.count}, err
	}
	multiple := max(r.multiple, 1)
	scaled := func(n int, factor float64) int {
		return max(int(float64(n)*factor)/multiple, 1) * multiple
	}
	n := multiple
	t, err := timed(r, n)
	for err == nil && t < target/3 {
		n = scaled(n, min(max(0.5*ratio(target, t), 2), 10))
		t, err = timed(r, n)
	}
	if err != nil {
		return measurement{}, err
	}
	n = scaled(n, ratio(target, t))
	t, err = timed(r, n)
	return measurement{"ns/op", float64(t.Nanoseconds()) / float64(n), n}, err
}

func timed(r row, n int) (time.Duration, error) {
	start := time.Now()
	err := r.body(n)
	return time.Since(start), err
}

func ratio(a, b time.Duration) float64 {
	return float64(a) / float64(max(b, 1))
}

// expect returns an error that says what is wrong unless got is want.
func expect(what string, got, want int) error {
	if got != want {
		return fmt.Errorf("wrong result: %s is %d, should be %d", what, got, want)
	}
	return nil
}

// sumBelow is 0 + 1 + … + n-1.
func sumBelow(n int) int {
	return n * (n - 1) / 2
}

// Command tenon_peer_go measures Go at the rows that bench/README.md defines.
//
//	tenon_peer_go list
//	tenon_peer_go run ROW [--ms N] [--workers N]
//	tenon_peer_go idle [--seconds N] [--workers N] [--goroutines N] [--timers N]
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
)

const usage = "usage: tenon_peer_go list | run ROW [--ms N] [--workers N] | " +
	"idle [--seconds N] [--workers N] [--goroutines N] [--timers N]"

// rows stand in the order of bench/README.md.
var rows = []row{
	{name: "spawn_join", body: spawnJoin, count: 300_000},
	{name: "spawn_batch", body: spawnBatch, multiple: batchSize},
	{name: "yield", body: yield, multiple: 2, count: 2_000_000, oneWorker: true},
	{name: "unbuffered", body: unbuffered},
	{name: "ping_pong", body: pingPong},
	{name: "buffered_128", body: buffered128},
	{name: "buffered_uncontended", body: bufferedUncontended},
	{name: "mpmc_4x4", body: mpmc4x4, multiple: 4},
	{name: "select_2", body: select2, multiple: 2},
	{name: "select_default", body: selectDefault},
	{name: "mutex_uncontended", body: mutexUncontended},
	{name: "mutex_contended", body: mutexContended(contenders, 0), multiple: contenders},
	{name: "context_cancel", body: contextCancel},
	{name: "timer_start_stop", body: timerStartStop},
	{name: "ring_1000", body: ring(1000), multiple: 1000},
	{name: "sieve_500", body: sieve500, whole: 500},
	{name: "skynet_1m", body: skynet1M, whole: 1_000_000},
	// The core rows end here.
	{name: "select_8", body: select8, multiple: 8},
	{name: "select_64", body: select64, multiple: 64},
	{name: "select_send", body: selectSend, multiple: 2},
	{name: "unbuffered_ctx", body: unbufferedCtx},
	{name: "buffered_ctx", body: bufferedCtx},
	{name: "chan_64", body: chanArray64},
	{name: "chan_1k", body: chanArray1K},
	{name: "chan_ptr", body: chanPointer},
	{name: "fan_in_100", body: fanIn100, multiple: fanIn},
	{name: "mutex_2_0", body: mutexContended(2, 0), multiple: 2},
	{name: "mutex_2_100", body: mutexContended(2, 100), multiple: 2},
	{name: "mutex_2_1000", body: mutexContended(2, 1000), multiple: 2},
	{name: "mutex_8_0", body: mutexContended(8, 0), multiple: 8},
	{name: "mutex_8_100", body: mutexContended(8, 100), multiple: 8},
	{name: "mutex_8_1000", body: mutexContended(8, 1000), multiple: 8},
	{name: "mutex_64_0", body: mutexContended(64, 0), multiple: 64},
	{name: "mutex_64_100", body: mutexContended(64, 100), multiple: 64},
	{name: "mutex_64_1000", body: mutexContended(64, 1000), multiple: 64},
	{name: "rwmutex_90_10", body: rwMutex9010, multiple: 10 * contenders},
	{name: "cond_ping_pong", body: condPingPong},
	{name: "semaphore_4", body: semaphore4, multiple: contenders},
	{name: "group_100", body: group100, multiple: groupSize},
	{name: "context_tree_10", body: contextTree(10), multiple: 10},
	{name: "context_tree_100", body: contextTree(100), multiple: 100},
	{name: "context_tree_1000", body: contextTree(1000), multiple: 1000},
	{name: "context_tree_10k", body: contextTree(10_000), multiple: 10_000},
	{name: "context_depth_100", body: contextDepth, multiple: treeDepth},
	{name: "context_poll", body: contextPoll},
	{name: "timers_1k", body: timerStartStop, around: amongTimers(1000)},
	{name: "timers_1m", body: timerStartStop, around: amongTimers(1_000_000)},
	{name: "ticker_load", own: tickerLoad},
	{name: "ring_100", body: ring(100), multiple: 100},
	{name: "ring_10k", body: ring(10_000), multiple: 10_000},
	{name: "ring_100k", body: ring(100_000), multiple: 100_000},
	{name: "park_100", body: park(100), multiple: 100},
	{name: "park_1000", body: park(1000), multiple: 1000},
	{name: "park_10k", body: park(10_000), multiple: 10_000},
	{name: "park_100k", body: park(100_000), multiple: 100_000},
	{name: "park_1m", body: park(1_000_000), multiple: 1_000_000},
	{name: "pipeline_10", body: pipeline10},
	{name: "parallel_transform", body: parallelTransform},
	{name: "quicksort_1m", body: quicksort1M, whole: 1_000_000},
	{name: "sieve_range", body: sieveRange, whole: 500},
	{name: "wake_p50", own: wake(500)},
	{name: "wake_p99", own: wake(990)},
	{name: "wake_p999", own: wake(999)},
	{name: "hog_wake_p50", own: wake(500), around: besideAHog},
	{name: "hog_wake_p99", own: wake(990), around: besideAHog},
	{name: "hog_wake_p999", own: wake(999), around: besideAHog},
	{name: "hog_ping_pong", body: pingPong, around: besideAHog},
}

// errUsage marks a command line that cannot be understood.
var errUsage = errors.New(usage)

func main() {
	err := command(os.Args[1:])
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "tenon_peer_go:", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}

func command(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "list":
		for _, r := range rows {
			fmt.Println(r.name)
		}
		return nil
	case len(args) >= 2 && args[0] == "run":
		return run(args[1], args[2:])
	case len(args) >= 1 && args[0] == "idle":
		return idle(args[1:])
	}
	return errUsage
}

func run(name string, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	ms := flags.Int("ms", 150, "milliseconds to measure")
	workers := flags.Int("workers", runtime.GOMAXPROCS(0), "the value of GOMAXPROCS")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%v\n%w", err, errUsage)
	}
	if *ms < 1 || *workers < 1 || flags.NArg() > 0 {
		return errUsage
	}
	for _, r := range rows {
		if r.name != name {
			continue
		}
		if r.oneWorker {
			*workers = 1
		}
		runtime.GOMAXPROCS(*workers)
		var m measurement
		var err error
		measured := func() { m, err = measure(r, time.Duration(*ms)*time.Millisecond) }
		if r.around != nil {
			r.around(measured)
		} else {
			measured()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("{\"row\":%q,\"unit\":%q,\"value\":%.2f,\"ops\":%d}\n", name, m.unit, m.value, m.ops)
		return nil
	}
	return fmt.Errorf("no row %q\n%w", name, errUsage)
}

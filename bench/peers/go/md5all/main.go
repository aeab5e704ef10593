// Command md5all is examples/md5all in Go, as Go's own article on pipelines does it: one goroutine walks, so many digest, and the
// digests come out in md5sum's form, sorted by name.
//
//	md5all [-j N] DIR...
package main

import (
	"bufio"
	"context"
	"crypto/md5"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

type result struct {
	path string
	sum  [md5.Size]byte
}

func main() {
	workers := flag.Int("j", 20, "files read at once")
	flag.Parse()
	results, err := digestAll(*workers, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "md5all:", err)
		os.Exit(1)
	}
	slices.SortFunc(results, func(a, b result) int { return strings.Compare(a.path, b.path) })
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, r := range results {
		fmt.Fprintf(out, "%x  %s\n", r.sum, r.path)
	}
}

func digestAll(workers int, roots []string) ([]result, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	paths := make(chan string)
	go func() {
		defer close(paths)
		for _, root := range roots {
			err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
				if err != nil || !entry.Type().IsRegular() {
					return err
				}
				select {
				case paths <- path:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
			if err != nil {
				cancel(err)
				return
			}
		}
	}()
	digests := make(chan result)
	var wg sync.WaitGroup
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			buffer := make([]byte, 128<<10)
			for path := range paths {
				sum, err := digest(path, buffer)
				if err != nil {
					cancel(err)
					return
				}
				select {
				case digests <- result{path, sum}:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	go func() {
		wg.Wait()
		close(digests)
	}()
	var all []result
	for r := range digests {
		all = append(all, r)
	}
	return all, context.Cause(ctx)
}

// digest reads through the worker's buffer: a buffer for each file, as io.Copy makes it, is slower.
func digest(path string, buffer []byte) (sum [md5.Size]byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer file.Close()
	hash := md5.New()
	// The wrapper hides File.WriteTo, which would bring a buffer of its own.
	if _, err := io.CopyBuffer(hash, struct{ io.Reader }{file}, buffer); err != nil {
		return sum, err
	}
	hash.Sum(sum[:0])
	return sum, nil
}

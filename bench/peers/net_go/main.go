// What bench/net asks of Go: `tenon_net_go echo|http|kv`. Prints the port that it listens on.
//
// http is net/http. kv has the commands of redis-benchmark that are measured, with one write for all requests that came together.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

func echo(c net.Conn) {
	defer c.Close()
	block := make([]byte, 16*1024)
	for {
		n, err := c.Read(block)
		if err != nil {
			return
		}
		if _, err := c.Write(block[:n]); err != nil {
			return
		}
	}
}

type store struct {
	sync.RWMutex
	values map[string][]byte
}

// request reads an array of strings into args, which it returns; the strings share block.
func request(r *bufio.Reader, args [][]byte) ([][]byte, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if line[0] != '*' {
		return bytes.Fields(bytes.Clone(line)), nil
	}
	n, err := strconv.Atoi(string(bytes.TrimRight(line[1:], "\r\n")))
	if err != nil {
		return nil, err
	}
	for i := 0; i < n; i++ {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		size, err := strconv.Atoi(string(bytes.TrimRight(line[1:], "\r\n")))
		if err != nil {
			return nil, err
		}
		text := make([]byte, size+2)
		if _, err := io.ReadFull(r, text); err != nil {
			return nil, err
		}
		args = append(args, text[:size])
	}
	return args, nil
}

func (s *store) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 16*1024)
	w := bufio.NewWriterSize(c, 16*1024)
	var args [][]byte
	for {
		var err error
		if args, err = request(r, args[:0]); err != nil {
			return
		}
		switch name := strings.ToUpper(string(args[0])); {
		case name == "GET" && len(args) == 2:
			s.RLock()
			value, ok := s.values[string(args[1])]
			s.RUnlock()
			if ok {
				w.WriteByte('$')
				w.Write(strconv.AppendInt(w.AvailableBuffer(), int64(len(value)), 10))
				w.WriteString("\r\n")
				w.Write(value)
				w.WriteString("\r\n")
			} else {
				w.WriteString("$-1\r\n")
			}
		case name == "SET" && len(args) == 3:
			s.Lock()
			s.values[string(args[1])] = args[2]
			s.Unlock()
			w.WriteString("+OK\r\n")
		case name == "PING":
			w.WriteString("+PONG\r\n")
		case name == "CONFIG":
			w.WriteString("*0\r\n")
		default:
			w.WriteString("-ERR unknown command\r\n")
		}
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return
			}
		}
	}
}

func main() {
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(at.Addr().(*net.TCPAddr).Port)
	serve := echo
	switch os.Args[1] {
	case "http":
		large := bytes.Repeat([]byte("x"), 64*1024)
		http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			if r.URL.Path == "/64k" {
				w.Header().Set("Content-Length", strconv.Itoa(len(large)))
				w.Write(large)
			} else {
				io.WriteString(w, "hello\n")
			}
		})
		fmt.Fprintln(os.Stderr, http.Serve(at, nil))
		os.Exit(1)
	case "kv":
		serve = (&store{values: map[string][]byte{}}).serve
	}
	for {
		c, err := at.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go serve(c)
	}
}

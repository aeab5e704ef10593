#!/usr/bin/env python3
"""kv under redis-cli, redis-benchmark and what a client should not send.

usage: kv_test.py PROGRAM
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from server import Server

PROGRAM = ""


def cli(server: Server, *words: str, text: str = "") -> str:
    """What redis-cli prints for one command, or for the lines of a text."""
    command = ["redis-cli", "-h", "127.0.0.1", "-p", str(server.port), "--no-raw", *words]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


class Kv(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Server([PROGRAM, "--port", "0", "--grace", "2", "--max-connections", "0"])
        self.addCleanup(self.server.kill)

    def exchange(self, sent: bytes, want: bytes) -> None:
        with self.server.connect() as s:
            s.sendall(sent)
            self.assertEqual(s.read(len(want)), want)

    def test_commands(self) -> None:
        for words, answer in [
            ("ping", "PONG"),
            ("set k v", "OK"),
            ("get k", '"v"'),
            ("get nothing", "(nil)"),
            ("set k w nx", "(nil)"),
            ("set k w xx get", '"v"'),
            ("append k xyz", "(integer) 4"),
            ("strlen k", "(integer) 4"),
            ("incr n", "(integer) 1"),
            ("incrby n 41", "(integer) 42"),
            ("decr n", "(integer) 41"),
            ("incr k", "(error) ERR value is not an integer or out of range"),
            ("set n 9223372036854775807", "OK"),
            ("incr n", "(error) ERR value is not an integer or out of range"),
            ("mset a 1 b 2", "OK"),
            ("mget a b c", '1) "1"\n2) "2"\n3) (nil)'),
            ("mset a", "(error) ERR wrong number of arguments for 'mset' command"),
            ("exists a b c", "(integer) 2"),
            ("del a b c", "(integer) 2"),
            ("dbsize", "(integer) 2"),
            ("set k v px 0", "(error) ERR invalid expire time in 'set' command"),
            ("set k v ex", "(error) ERR syntax error"),
            ("nosuch", "(error) ERR unknown command 'nosuch'"),
            ("flushallx", "(error) ERR unknown command 'flushallx'"),
            ("subscrib", "(error) ERR unknown command 'subscrib'"),
            ("get", "(error) ERR wrong number of arguments for 'get' command"),
            ("flushall", "OK"),
            ("dbsize", "(integer) 0"),
        ]:
            self.assertEqual(cli(self.server, *words.split()), answer, words)

    def test_expiry(self) -> None:
        self.assertEqual(cli(self.server, "set", "long", "v", "ex", "100"), "OK")
        self.assertIn(cli(self.server, "ttl", "long"), ("(integer) 100", "(integer) 99"))
        self.assertEqual(cli(self.server, "persist", "long"), "(integer) 1")
        self.assertEqual(cli(self.server, "ttl", "long"), "(integer) -1")
        self.assertEqual(cli(self.server, "ttl", "nothing"), "(integer) -2")
        self.assertEqual(cli(self.server, "expire", "long", "0"), "(integer) 1")
        self.assertEqual(cli(self.server, "get", "long"), "(nil)")
        # Also where nobody asks for it.
        self.assertEqual(cli(self.server, "set", "short", "v", "px", "1"), "OK")
        while cli(self.server, "dbsize") != "(integer) 0":
            time.sleep(0.01)

    def test_pieces_and_pipelines(self) -> None:
        n = 10_000
        self.exchange(b"*1\r\n$4\r\nPING\r\n" * n, b"+PONG\r\n" * n)
        self.exchange(b"PING\r\n" * 7 + b"INFO\r\n", b"+PONG\r\n" * 7 + b"$41\r\n# Stats\r\ntotal_commands_processed:%d\r\n\r\n" % (n + 8))
        self.exchange(b"set a b\r\n\r\nget a\r\n", b"+OK\r\n$1\r\nb\r\n")
        with self.server.connect() as s:
            for byte in b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n":
                s.sendall(bytes([byte]))
            self.assertEqual(s.read(7), b"$1\r\nb\r\n")
        big = b"x" * 10_000_000
        self.exchange(b"*3\r\n$3\r\nSET\r\n$1\r\nB\r\n$%d\r\n%s\r\nGET B\r\n" % (len(big), big),
                      b"+OK\r\n$%d\r\n%s\r\n" % (len(big), big))

    def test_what_is_no_request(self) -> None:
        for sent, why in [
            (b"*x\r\n", b"invalid multibulk length"),
            (b"*2000000\r\n", b"invalid multibulk length"),
            (b"*1\r\nGET\r\n", b"expected '$'"),
            (b"*1\r\n$-1\r\n", b"invalid bulk length"),
            (b"*1\r\n$9999999999\r\n", b"invalid bulk length"),
            (b"*1\r\n$4\r\nPINGxx", b"expected the end of a line"),
            (b"*1\r\n$" + b"0" * 100, b"too big bulk count string"),
            (b"*" + b"0" * 100, b"too big mbulk count string"),
            (b"x" * 70_000, b"too big inline request"),
        ]:
            with self.server.connect() as s:
                s.sendall(sent)
                self.assertEqual(s.read_to_end(), b"-ERR Protocol error: " + why + b"\r\n")
        with self.server.connect() as s:
            s.sendall(b"*1\r\n$3\r\nG\nT\r\nQUIT\r\n")
            self.assertEqual(s.read_to_end(), b"-ERR unknown command 'G?T'\r\n+OK\r\n")

    def test_publishing(self) -> None:
        nothing = b"*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n"  # to unsubscribe from
        with self.server.connect() as a, self.server.connect() as b:
            a.sendall(b"PING\r\nSUBSCRIBE news sports\r\nPING\r\n")
            self.assertEqual(a.read_lines(14)[-1], b"+PONG")
            b.sendall(b"PUBLISH news one\r\nPUBLISH nothing two\r\n")
            self.assertEqual(b.read(8), b":1\r\n:0\r\n")
            self.assertEqual(a.read_lines(7), [b"*3", b"$7", b"message", b"$4", b"news", b"$3", b"one"])
            a.sendall(b"UNSUBSCRIBE\r\nUNSUBSCRIBE\r\nQUIT\r\n")
            self.assertTrue(a.read_to_end().endswith(b":1\r\n*3\r\n$11\r\nunsubscribe\r\n$6\r\nsports\r\n:0\r\n" + nothing + b"+OK\r\n"))
            b.sendall(b"PUBLISH news three\r\nUNSUBSCRIBE\r\n")
            self.assertEqual(b.read(4 + len(nothing)), b":0\r\n" + nothing)

    def test_a_subscriber_that_reads_gets_all_of_a_burst(self) -> None:
        n = 5000
        with self.server.connect() as a, self.server.connect() as b:
            a.sendall(b"SUBSCRIBE burst\r\n")
            a.read_lines(6)
            b.sendall(b"PUBLISH burst x\r\n" * n)
            self.assertEqual(a.read_lines(7 * n), [b"*3", b"$7", b"message", b"$5", b"burst", b"$1", b"x"] * n)
            self.assertEqual(b.read(4 * n), b":1\r\n" * n)

    def test_a_subscriber_that_does_not_keep_up_is_cut_off(self) -> None:
        with self.server.connect() as slow, self.server.connect() as b:
            slow.sendall(b"SUBSCRIBE flood\r\n")
            slow.read_lines(6)
            text = b"x" * 10_000
            for _ in range(10_000):
                b.sendall(b"*3\r\n$7\r\nPUBLISH\r\n$5\r\nflood\r\n$%d\r\n%s\r\n" % (len(text), text))
                if b.read(4) == b":0\r\n":
                    return
            self.fail("it is still served")

    def test_idle_connections_cost_little(self) -> None:
        n = 10_000
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most < n + 1000:
            self.skipTest("this process may have too few descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        held = [self.server.connect() for _ in range(100)]
        before = self.server.memory()
        held += [self.server.connect() for _ in range(n)]
        for s in (held[0], held[-1]):  # the last one has been accepted, and so have all before
            s.sendall(b"PING\r\n")
            self.assertEqual(s.read(7), b"+PONG\r\n")
        each = (self.server.memory() - before) / n
        print(f"{each:.0f} bytes a connection", end=" ... ", flush=True)
        self.assertLessEqual(each, 6 * 1024)
        for s in held:
            s.socket.close()

    def test_a_large_request_leaves_nothing_with_an_idle_connection(self) -> None:
        n = 1 << 20
        large = b"*%d\r\n$6\r\nEXISTS\r\n" % n + b"$0\r\n\r\n" * (n - 1)
        before = self.server.memory()
        held = [self.server.connect() for _ in range(20)]
        for s in held:
            s.sendall(large + b"PING\r\n")
            self.assertEqual(s.read(11), b":0\r\n+PONG\r\n")
            s.sendall(b"PING\r\n")
            self.assertEqual(s.read(7), b"+PONG\r\n")
        each = (self.server.memory() - before) / len(held)
        print(f"{each:.0f} bytes a connection", end=" ... ", flush=True)
        self.assertLessEqual(each, n * 8)
        for s in held:
            s.socket.close()

    def test_benchmark(self) -> None:
        for more in ([], ["-P", "16"]):
            command = ["redis-benchmark", "-h", "127.0.0.1", "-p", str(self.server.port), "-q", "-n", "20000", "-c", "50",
                       "-t", "ping,set,get,incr,mset", *more]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
            self.assertEqual(done.stdout.count("requests per second"), 6, done.stdout + done.stderr)
            self.assertNotIn("rror", done.stdout + done.stderr)

    def test_sigterm_lets_clients_finish(self) -> None:
        with self.server.connect() as s:
            s.sendall(b"PING\r\n")
            self.assertEqual(s.read(7), b"+PONG\r\n")
            self.server.process.send_signal(signal.SIGTERM)
            self.server.wait_until_refused()
            s.sendall(b"SET k v\r\nQUIT\r\n")
            self.assertEqual(s.read_to_end(), b"+OK\r\n+OK\r\n")
        out = self.server.wait()
        self.assertIn(" connections, 3 commands\n", out)
        self.assertEqual(self.server.process.returncode, 0)

    def test_the_command_line(self) -> None:
        done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, timeout=60, check=True)
        self.assertIn("--max-connections", done.stdout)
        done = subprocess.run([PROGRAM, "--port", "65536"], capture_output=True, text=True, timeout=60, check=False)
        self.assertNotEqual(done.returncode, 0)
        done = subprocess.run([PROGRAM, "--port", str(self.server.port)], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Address already in use", done.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)

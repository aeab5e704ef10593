#!/usr/bin/env python3
"""http_hello, the README's server.

usage: http_hello_test.py PROGRAM
"""

from __future__ import annotations

import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from server import Server

PROGRAM = ""


class HttpHello(unittest.TestCase):
    def test_answers_until_it_is_told_to_end(self) -> None:
        server = Server([PROGRAM, "0"])
        self.addCleanup(server.kill)
        with server.connect() as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2 + b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
            self.assertEqual(s.read_to_end().count(b"\r\n\r\nhello\n"), 3)
        with server.connect() as s:
            s.sendall(b"nonsense\r\n\r\n")
            self.assertEqual(s.read_to_end(), b"")
        with server.connect() as s:  # it waits for a request, and is no reason to go on
            server.process.send_signal(signal.SIGINT)
            server.wait()


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""fetch against servers of Python's, some of which do not behave.

usage: fetch_test.py PROGRAM
"""

from __future__ import annotations

import http.server
import resource
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

PROGRAM = ""


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    now = 0
    most = 0
    lock = threading.Lock()

    def do_GET(self) -> None:
        with Pages.lock:
            Pages.now += 1
            Pages.most = max(Pages.most, Pages.now)
        time.sleep(0.01)
        kind, _, rest = self.path[1:].partition("/")
        body, status = b"a page\n", 200
        if kind == "missing":
            status = 404
        elif kind == "large":
            body = b"x" * int(rest)
        with Pages.lock:
            Pages.now -= 1
        if kind == "hints":
            for _ in range(int(rest)):
                self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n")
        if kind in ("redirect", "astray"):
            self.send_response(302)
            self.send_header("Location", "/a b" if kind == "astray" else "/" + rest if rest else "/redirect/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if kind == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
            self.close_connection = True
            return
        self.send_response(status)
        if kind == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n1\r\n\n\r\n0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:  # a client that goes away is part of the tests
        pass


class Fetch(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        cls.certificate = cls.folder.name + "/certificate.pem"
        key = cls.folder.name + "/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cls.certificate],
                       check=True, capture_output=True)
        cls.servers = []
        for secure in (False, True):
            server = Quiet(("127.0.0.1", 0), Pages)
            if secure:
                settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                settings.load_cert_chain(cls.certificate, key)
                server.socket = settings.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            cls.servers.append(server)
        cls.plain = f"http://localhost:{cls.servers[0].server_port}"
        cls.secure = f"https://localhost:{cls.servers[1].server_port}"
        cls.silent = socket.create_server(("127.0.0.1", 0), backlog=100)
        cls.hangs = f"http://127.0.0.1:{cls.silent.getsockname()[1]}/"

    @classmethod
    def tearDownClass(cls) -> None:
        for server in cls.servers:
            server.shutdown()
            server.server_close()
        cls.silent.close()
        cls.folder.cleanup()

    def fetch(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def test_many_pages(self) -> None:
        Pages.most = 0
        done = self.fetch("-j", "3", *[self.plain + "/page"] * 30)
        self.assertEqual(done.stdout.count("7 bytes "), 30)
        self.assertIn("30 of 30 pages, 0 failed, 210 bytes\n", done.stderr)
        self.assertLessEqual(Pages.most, 3)

    def test_https(self) -> None:
        self.assertIn("7 bytes", self.fetch("--ca", self.certificate, self.secure + "/page").stdout)
        self.assertIn("certificate verify failed", self.fetch(self.secure + "/page", status=1).stderr)
        other = self.secure.replace("localhost", "127.0.0.1")
        self.assertIn("certificate verify failed", self.fetch("--ca", self.certificate, other + "/page", status=1).stderr)
        self.assertIn("TLS", self.fetch("--ca", self.certificate, self.plain.replace("http:", "https:"), status=1).stderr)

    def test_kinds_of_answers(self) -> None:
        self.assertIn("6 bytes", self.fetch(self.plain + "/chunked").stdout)
        self.assertRegex(self.fetch(self.plain + "/redirect/redirect/page").stdout, r"7 bytes \d+ ms " + self.plain + "/page\n")
        self.assertIn("more than ten redirections", self.fetch(self.plain + "/redirect/", status=1).stderr)
        self.assertIn("404 Not Found", self.fetch(self.plain + "/missing", status=1).stderr)
        self.assertIn("partial message", self.fetch(self.plain + "/cut", status=1).stderr)
        self.assertIn("1000000 bytes", self.fetch(self.plain + "/large/1000000").stdout)
        self.assertIn("body limit exceeded", self.fetch("--max-bytes", "1000", self.plain + "/large/1000000", status=1).stderr)

    def test_interim_answers(self) -> None:
        for n in (1, 100):
            self.assertIn("7 bytes", self.fetch(f"{self.plain}/hints/{n}").stdout)

    def test_a_redirection_to_what_is_no_url(self) -> None:
        self.assertIn("not a URL", self.fetch(self.plain + "/astray", status=1).stderr)

    def test_the_first_failure_ends_the_others(self) -> None:
        done = self.fetch("-j", "10", *[self.hangs] * 5, self.plain + "/missing", status=1)
        self.assertIn("/missing: 404 Not Found", done.stderr)

    def test_keep_going(self) -> None:
        done = self.fetch("-k", self.plain + "/missing", self.plain + "/page", "http://127.0.0.1:1/", self.plain + "/page", status=1)
        self.assertEqual(done.stdout.count("7 bytes"), 2)
        self.assertIn("/missing: 404 Not Found\n", done.stderr)
        self.assertIn("Connection refused", done.stderr)
        self.assertIn("2 of 4 pages, 2 failed", done.stderr)

    def test_deadlines(self) -> None:
        done = self.fetch("--timeout", "0.2", *[self.hangs] * 5, status=1)
        self.assertIn("context deadline exceeded", done.stderr)
        done = self.fetch("-k", "--timeout-each", "0.2", self.hangs, self.plain + "/page", status=1)
        self.assertIn("1 of 2 pages, 1 failed", done.stderr)

    def test_ctrl_c(self) -> None:
        process = subprocess.Popen([PROGRAM, self.hangs], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        peer, _ = self.silent.accept()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        peer.close()
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("0 of 1 pages", errors)

    def test_saves_them(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.fetch("-j", "1", "-o", folder, self.plain + "/large/100", self.plain + "/a/large/100", self.plain + "/")
            self.assertEqual({p.name: p.stat().st_size for p in Path(folder).iterdir()}, {"100": 100, "100.1": 7, "index.html": 7})

    def test_a_page_that_cannot_be_written_leaves_no_part_of_it(self) -> None:
        def with_small_files() -> None:  # as small as a full disk's
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([PROGRAM, "-k", "-o", folder, self.plain + "/large/100000", self.plain + "/page"],
                                  preexec_fn=with_small_files, capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("cannot write", done.stderr)
            self.assertEqual([p.name for p in Path(folder).iterdir()], ["page"])

    def test_what_is_no_url(self) -> None:
        for text in ("ftp://x/", "http://", "http://[::1", "http://a:b/", "http://u:p@h/", "http://h/a b", "x"):
            self.assertIn("not a URL", self.fetch(text, status=1).stderr, text)
        self.assertIn("no such host", self.fetch("http://no-such-host.invalid/", status=1).stderr)
        self.assertIn("--keep-going", self.fetch("--help").stdout)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)

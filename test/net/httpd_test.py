#!/usr/bin/env python3
"""httpd under curl, openssl, Python's websockets, and what a client should not send.

usage: httpd_test.py PROGRAM
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import websockets

sys.path.insert(0, str(Path(__file__).resolve().parent))
from server import PATIENCE, Connection, Server

PROGRAM = ""
HELLO = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def run(*command: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=check)


class Httpd(unittest.TestCase):
    folder: tempfile.TemporaryDirectory[str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        root = Path(cls.folder.name) / "pages"
        root.mkdir()
        (root / "sub").mkdir()
        (root / "a page.html").write_text("<p>hello\n")
        (root / "sub" / "large.bin").write_bytes(os.urandom(3_000_000))
        (root / "empty.txt").write_bytes(b"")
        (root / "link").symlink_to("/etc/passwd")
        (root.parent / "secret").write_text("secret\n")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            "-keyout", cls.folder.name + "/key.pem", "-out", cls.folder.name + "/certificate.pem")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.folder.cleanup()

    def start(self, *options: str) -> Server:
        server = Server([PROGRAM, "--port", "0", "--root", self.folder.name + "/pages", "--grace", "20", *options])
        self.addCleanup(server.kill)
        return server

    def tls(self) -> Server:
        return self.start("--certificate", self.folder.name + "/certificate.pem", "--key", self.folder.name + "/key.pem")

    @staticmethod
    def url(server: Server, path: str, scheme: str = "http") -> str:
        return f"{scheme}://localhost:{server.port}{path}"

    def status(self, server: Server, path: str, *options: str) -> int:
        return int(run("curl", "-s", "--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", *options, self.url(server, path)).stdout)

    def test_idle_connections_cost_little(self) -> None:
        n = 10_000
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most < n + 1000:
            self.skipTest("this process may have too few descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        server = self.start("--max-connections", str(2 * n), "--idle", "600")
        held = [server.connect() for _ in range(100)]
        before = server.memory()
        held += [server.connect() for _ in range(n)]
        for s in (held[0], held[-1]):  # the last one has been accepted, and so have all before
            s.sendall(HELLO)
            self.assertIn(b"200 OK", s.read_lines(1)[0])
        each = (server.memory() - before) / n
        print(f"{each:.0f} bytes a connection", end=" ... ", flush=True)
        self.assertLessEqual(each, 6 * 1024)
        for s in held:
            s.socket.close()

    def test_pages(self) -> None:
        server = self.start()
        self.assertEqual(run("curl", "-s", self.url(server, "/")).stdout, b"hello\n")
        head = run("curl", "-sI", self.url(server, "/")).stdout
        self.assertIn(b"Content-Length: 6\r\n", head)
        self.assertEqual(self.status(server, "/nosuch"), 404)
        wrong = run("curl", "-s", "-i", "-X", "DELETE", self.url(server, "/")).stdout
        self.assertIn(b"405 Method Not Allowed", wrong)
        self.assertIn(b"Allow: GET, HEAD", wrong)
        many = run("curl", "-sv", *[self.url(server, "/")] * 3)
        self.assertEqual(many.stdout, b"hello\n" * 3)
        self.assertEqual(many.stderr.count(b"Re-using existing connection"), 2)
        with server.connect() as s:  # in a pipeline
            s.sendall(HELLO * 2 + HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            self.assertEqual(s.read_to_end().count(b"hello\n"), 3)
        with server.connect() as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            self.assertTrue(s.read_to_end().startswith(b"HTTP/1.0 200"))

    def test_files(self) -> None:
        for server, scheme, trust in ((self.start(), "http", []), (self.tls(), "https", ["--cacert", self.folder.name + "/certificate.pem"])):
            got = run("curl", "-s", "-i", *trust, self.url(server, "/files/a%20page.html", scheme)).stdout
            self.assertIn(b"Content-Type: text/html", got)
            self.assertTrue(got.endswith(b"<p>hello\n"))
            got = run("curl", "-s", *trust, self.url(server, "/files/sub/large.bin", scheme)).stdout
            self.assertEqual(got, (Path(self.folder.name) / "pages/sub/large.bin").read_bytes())
            self.assertEqual(run("curl", "-s", *trust, self.url(server, "/files/empty.txt", scheme)).stdout, b"")
        server = self.start()
        for path in ("nosuch", "sub", "sub/", "link", "../secret", "%2e%2e/secret", "..%2fsecret", "sub/../../secret", "/etc/passwd", ".", ""):
            self.assertEqual(self.status(server, "/files/" + path), 404, path)
        for path in ("a%00b", "%zz", "%4"):
            self.assertEqual(self.status(server, "/files/" + path), 400, path)

    def test_bodies(self) -> None:
        server = self.start("--max-body", "10000")
        got = run("curl", "-s", "-d", '{"a": [1, 2.5, "x", null]}', self.url(server, "/json")).stdout
        self.assertEqual(got, b'{"a":[1,2.5E0,"x",null]}\n')
        self.assertEqual(self.status(server, "/json", "-d", '{"a": [1'), 400)
        self.assertEqual(self.status(server, "/json"), 405)
        large = "[" + "1," * 3000 + "1]"
        self.assertEqual(self.status(server, "/json", "-d", large), 200, "curl asks with Expect: 100-continue, or does not")
        self.assertEqual(self.status(server, "/json", "-H", "Expect: 100-continue", "-d", large), 200)
        self.assertEqual(self.status(server, "/json", "-d", "x" * 20000), 413)
        self.assertEqual(self.status(server, "/", "-H", "X: " + "x" * 9000), 431)

    def test_streams(self) -> None:
        server = self.start()
        got = run("curl", "-s", "-i", self.url(server, "/stream?n=3")).stdout
        self.assertIn(b"Transfer-Encoding: chunked", got)
        self.assertTrue(got.endswith(b"line 1\nline 2\nline 3\n"))
        for n in ("x", "", "3x", "-1", "1000001", "99999999999"):
            self.assertEqual(self.status(server, "/stream?n=" + n), 400, n)

    def test_http_1_0_gets_no_chunks(self) -> None:
        server = self.start()
        for method, body in (b"GET", b"line 1\nline 2\n"), (b"HEAD", b""):
            with server.connect() as s:
                s.sendall(method + b" /stream?n=2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                head, _, got = s.read_to_end().partition(b"\r\n\r\n")
                self.assertTrue(head.startswith(b"HTTP/1.0 200 "), head)
                self.assertNotIn(b"Transfer-Encoding", head)
                self.assertNotIn(b"keep-alive", head)
                self.assertEqual(got, body)

    def test_http_1_0_gets_no_interim_answer(self) -> None:
        with self.start().connect() as s:
            s.sendall(b"POST /json HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n1")
            self.assertTrue(s.read_to_end().startswith(b"HTTP/1.0 200 "))

    def test_a_file_that_grows_is_sent_as_long_as_was_said(self) -> None:
        trust = ssl.create_default_context(cafile=self.folder.name + "/certificate.pem")
        for server, tls in (self.start(), None), (self.tls(), trust):
            file = Path(self.folder.name) / "pages/grows.bin"
            size = 20_000_000  # more than the system keeps of it on the way, so that its end has not been read when it grows
            file.write_bytes(b"")
            os.truncate(file, size)
            with server.connect() as s:
                if tls:
                    s.socket = tls.wrap_socket(s.socket, server_hostname="localhost")
                ask = b"GET /files/grows.bin HTTP/1.1\r\nHost: x\r\n\r\n"
                s.sendall(ask)
                head = s.read_until(b"\r\n\r\n")
                self.assertIn(b"Content-Length: %d\r\n" % size, head)
                with file.open("ab") as f:
                    f.write(b"x" * 50_000)
                s.sendall(ask)
                self.assertEqual(b"".join(s.read(size // 200) for _ in range(200)), bytes(size))
                self.assertTrue(s.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 "))

    def test_what_is_no_request(self) -> None:
        server = self.start()
        for sent in (b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 100,
                     b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
            with server.connect() as s:
                s.sendall(sent)
                self.assertTrue(s.read_to_end().startswith(b"HTTP/1.1 400 "), sent)

    def test_clients_that_are_slow(self) -> None:
        server = self.start("--header-timeout", "1", "--idle", "1", "--body-timeout", "1")
        with server.connect() as s:  # idle
            self.assertEqual(s.read_to_end(), b"")
        with server.connect() as s:  # a byte now and then
            s.socket.settimeout(0.05)
            answer = b""
            for byte in b"GET / HTTP/1.1\r\nX: " + b"x" * 4000:
                try:
                    s.sendall(bytes([byte]))
                    answer += s.socket.recv(1000)
                except TimeoutError:
                    continue
                break
            self.assertTrue(answer.startswith(b"HTTP/1.1 408 "), answer)
        with server.connect() as s:  # a body that does not come
            s.sendall(b"POST /json HTTP/1.1\r\nContent-Length: 10\r\n\r\n[")
            self.assertTrue(s.read_to_end().startswith(b"HTTP/1.1 408 "))
        with server.connect() as s:  # asks, and does not read: it is given up
            s.sendall(b"GET /stream?n=1000000 HTTP/1.1\r\n\r\n")
            server.wait_until_it_says("timed out")

    def test_websocket(self) -> None:
        server = self.start("--max-body", "100000")
        secure = self.tls()
        trust = ssl.create_default_context(cafile=self.folder.name + "/certificate.pem")

        async def talk() -> None:
            async with websockets.connect(self.url(server, "/ws", "ws")) as ws:
                for message in ("text", b"bytes", "", "x" * 50_000):
                    await ws.send(message)
                    self.assertEqual(await ws.recv(), message)
            async with websockets.connect(self.url(server, "/ws", "ws"), max_size=None) as ws:
                with self.assertRaises(websockets.ConnectionClosedError) as closed:
                    await ws.send("x" * 200_000)
                    await ws.recv()
                self.assertEqual(closed.exception.rcvd.code, 1009)
            async with websockets.connect(self.url(secure, "/ws", "wss"), ssl=trust) as ws:
                await ws.send("secret")
                self.assertEqual(await ws.recv(), "secret")

        asyncio.run(talk())

    def test_a_websocket_client_that_does_not_read_is_given_up(self) -> None:
        server = self.start("--idle", "100000", "--body-timeout", "5")
        message = b"\x82\xff" + (1_000_000).to_bytes(8, "big") + bytes(4) + bytes(1_000_000)
        with server.connect() as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            self.assertIn(b" 101 ", s.read_until(b"\r\n\r\n"))
            with self.assertRaises(ConnectionError):
                while True:
                    s.sendall(message)
        server.wait_until_it_says("timed out")

    def test_sigterm_closes_websockets(self) -> None:
        trust = ssl.create_default_context(cafile=self.folder.name + "/certificate.pem")

        async def talk(server: Server, scheme: str, tls: ssl.SSLContext | None) -> None:
            async with websockets.connect(self.url(server, "/ws", scheme), ssl=tls) as ws:
                await ws.send("a message")
                self.assertEqual(await ws.recv(), "a message")
                server.process.send_signal(signal.SIGTERM)
                with self.assertRaises(websockets.ConnectionClosed) as closed:
                    await asyncio.wait_for(ws.recv(), PATIENCE)
                self.assertIsNotNone(closed.exception.rcvd, "closed without a word")
                self.assertEqual(closed.exception.rcvd.code, 1001)

        for server, scheme, tls in (self.start(), "ws", None), (self.tls(), "wss", trust):
            asyncio.run(talk(server, scheme, tls))
            self.assertNotIn("a connection: ", server.wait())
            self.assertEqual(server.process.returncode, 0)

    def test_a_log_that_nobody_reads_does_not_keep_it_from_ending(self) -> None:
        out, into = os.pipe()
        self.addCleanup(os.close, into)
        process = subprocess.Popen([PROGRAM, "--port", "0", "--grace", "1"], stdout=into, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        with open(out, encoding="ascii") as reader:
            port = int(re.search(r":(\d+) ", reader.readline())[1])
            full = os.open(f"/proc/self/fd/{into}", os.O_WRONLY | os.O_NONBLOCK)  # the server's own end stays as it is
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(full, bytes(4096))
            os.close(full)
            with Connection(port) as s:
                s.sendall(HELLO)
                answer = s.read_until(b"hello\n")
                # One line is being written, 1024 wait for it, and the request after those waits for room.
                s.sendall(HELLO * 2000)
                self.assertEqual(s.read(1025 * len(answer)), 1025 * answer)
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(PATIENCE), 0)

    def test_tls(self) -> None:
        server = self.tls()
        certificate = self.folder.name + "/certificate.pem"
        self.assertEqual(run("curl", "-s", "--cacert", certificate, self.url(server, "/", "https")).stdout, b"hello\n")
        self.assertEqual(run("curl", "-s", self.url(server, "/", "https"), check=False).returncode, 60, "nobody vouches for it")
        self.assertEqual(run("curl", "-s", "--cacert", certificate, f"https://127.0.0.1:{server.port}/", check=False).returncode, 60)
        done = subprocess.run(["openssl", "s_client", "-connect", f"localhost:{server.port}", "-CAfile", certificate,
                               "-verify_return_error", "-quiet"],
                              input=HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), capture_output=True, timeout=60, check=False)
        self.assertIn(b"hello\n", done.stdout)
        with server.connect() as s:  # HTTP spoken to the TLS port
            s.sendall(HELLO)
            self.assertNotIn(b"hello", s.read_to_end())
        self.assertEqual(run("curl", "-s", "--cacert", certificate, self.url(server, "/", "https")).stdout, b"hello\n")

    def test_sigterm_drains(self) -> None:
        server = self.start()
        n = 200_000
        with server.connect() as idle, server.connect() as busy:
            idle.sendall(HELLO)
            while not idle.ahead.endswith(b"hello\n"):
                idle.ahead += idle.socket.recv(1000)
            busy.sendall(b"GET /stream?n=%d HTTP/1.1\r\n\r\n" % n)
            first = busy.read(100)
            server.process.send_signal(signal.SIGTERM)
            server.wait_until_refused()
            idle.ahead = b""
            self.assertEqual(idle.read_to_end(), b"", "it waits for no request any more")
            answer = first + busy.read_to_end()
            self.assertIn(b"line %d\n" % n, answer)
            self.assertTrue(answer.endswith(b"0\r\n\r\n"))
        server.wait()
        self.assertEqual(server.process.returncode, 0, server.out)

    def test_descriptors_and_log(self) -> None:
        server = self.start()
        descriptors = f"/proc/{server.process.pid}/fd"
        self.status(server, "/")
        before = len(os.listdir(descriptors))
        for _ in range(20):
            held = [server.connect() for _ in range(50)]
            for s in held:
                s.sendall(HELLO)
            for s in held[::2]:
                s.read(1)
            for s in held:
                s.socket.close()
        deadline = time.monotonic() + 60
        while len(os.listdir(descriptors)) > before:
            self.assertLess(time.monotonic(), deadline, os.listdir(descriptors))
            time.sleep(0.05)
        server.process.send_signal(signal.SIGTERM)
        out = server.wait()
        self.assertRegex(out, r'127\.0\.0\.1:\d+ "GET /" 200 6 \d+us\n')
        self.assertRegex(out, r"\n\d+ connections\n")

    def test_the_command_line(self) -> None:
        self.assertIn(b"--header-timeout", run(PROGRAM, "--help").stdout)
        self.assertIn(b"--key", run(PROGRAM, "--certificate", self.folder.name + "/certificate.pem", check=False).stderr)
        bad = run(PROGRAM, "--certificate", self.folder.name + "/pages/empty.txt", "--key", self.folder.name + "/key.pem", check=False)
        self.assertEqual(bad.returncode, 1)
        self.assertIn(b"httpd: ", bad.stderr)
        self.assertNotEqual(run(PROGRAM, "--root", "/nosuch", check=False).returncode, 0)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)

"""A server under test: started on a free port, spoken to by sockets, ended."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
import time

PATIENCE = 60  # seconds: for what would otherwise hang


class Connection:
    """A socket that is read as a test wants it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.ahead = b""

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def sendall(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _more(self) -> bool:
        data = self.socket.recv(1 << 20)
        self.ahead += data
        return bool(data)

    def read(self, n: int) -> bytes:
        """So many bytes, or fewer if the stream ends before."""
        while len(self.ahead) < n and self._more():
            pass
        data, self.ahead = self.ahead[:n], self.ahead[n:]
        return data

    def read_lines(self, n: int) -> list[bytes]:
        while self.ahead.count(b"\r\n") < n and self._more():
            pass
        *lines, self.ahead = self.ahead.split(b"\r\n", n)
        return lines

    def read_until(self, end: bytes) -> bytes:
        while end not in self.ahead and self._more():
            pass
        data, found, self.ahead = self.ahead.partition(end)
        return data + found

    def read_to_end(self) -> bytes:
        while self._more():
            pass
        data, self.ahead = self.ahead, b""
        return data


class Server:
    """A program that prints "listening on ADDRESS:PORT" first."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.out = ""  # read all the time: a full pipe would hold the server up
        self._reader = threading.Thread(target=self._read)
        self._first = threading.Event()
        self._reader.start()
        assert self._first.wait(PATIENCE), command
        found = re.match(r"listening on .*:(\d+)", self.out)
        assert found, self.out
        self.port = int(found[1])

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.out += line
            self._first.set()
        self._first.set()

    def connect(self) -> Connection:
        return Connection(self.port)

    def wait_until_refused(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE).close()
            except ConnectionRefusedError:
                return
            except ConnectionResetError:  # it was in the queue that went with the listener
                pass
        raise AssertionError("it still accepts")

    def wait_until_it_says(self, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.out:
            assert time.monotonic() < end, self.out
            time.sleep(0.05)

    def memory(self) -> int:
        """The bytes that are its own alone."""
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith("Anonymous:"))

    def wait(self) -> str:
        """What it has printed, once it has ended."""
        self.process.wait(timeout=PATIENCE)
        self._reader.join()
        return self.out

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        if self.process.stdout is not None:
            self.process.stdout.close()

"""What compare, scale, idle, plot and report share: the programs, the core rows, taking turns, what is said of the machine."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any, NoReturn

TENON = "tenon"
PROGRAMS = {
    TENON: "tenon_bench",
    "go": "tenon_peer_go",
    "boost_fiber": "tenon_peer_boost_fiber",
    "asio": "tenon_peer_asio",
    "tokio": "tenon_peer_tokio",
    "may": "tenon_peer_may",
    "crossbeam": "tenon_peer_crossbeam",
    "flume": "tenon_peer_flume",
    "kanal": "tenon_peer_kanal",
    "threads": "tenon_peer_threads",
    "java": "tenon_peer_java",
}
PEERS = [name for name in PROGRAMS if name != TENON]
# What one toolchain builds, for --peers.
TOGETHER = {
    "all": PEERS,
    "boost": ["boost_fiber", "asio"],
    "rust": ["tokio", "may", "crossbeam", "flume", "kanal"],
}
BY_CARGO = "./run bench --peers rust builds it where cargo is installed"
WHY_ABSENT = {
    TENON: "it is built with TENON_BENCH=ON",
    "go": "./run bench builds it where Go is installed",
    "boost_fiber": "./run bench --peers boost builds it where Boost.Fiber is installed",
    "tokio": BY_CARGO,
    "may": BY_CARGO,
    "crossbeam": BY_CARGO,
    "flume": BY_CARGO,
    "kanal": BY_CARGO,
    "asio": "./run bench --peers boost builds it where Boost 1.81 or later is installed",
    "threads": "./run bench --peers threads builds it",
    "java": "./run bench --peers java builds it where a JDK from 21 on is installed",
}
# The rows of the first table of README.md.
CORE = (
    "spawn_join spawn_batch yield unbuffered ping_pong buffered_128 buffered_uncontended mpmc_4x4 select_2 "
    "select_default mutex_uncontended mutex_contended context_cancel timer_start_stop ring_1000 sieve_500 skynet_1m"
).split()

RUN_TIMEOUT_S = 120
BUSY = 0.5

# For the estimate: seconds of a run beside what --ms asks for, and what of --ms it takes where that is not 1.7.
TAKES_S = {
    "spawn_join": 0.4,
    "yield": 0.4,
    "sieve_500": 0.2,
    "skynet_1m": 1.5,
    "timers_1m": 1.0,
    "ring_100k": 1.0,
    "park_100k": 1.0,
    "park_1m": 12.0,
}
TAKES_MS = {"wake_p": 10, "hog_wake_p": 10, "ticker_load": 4}
START_S = 0.05


class NotMeasured(Exception):
    """Why a program gave no figure."""


@dataclass(eq=False)
class Program:
    name: str
    path: Path
    rows: list[str] = field(default_factory=list)

    def call(self, *args: str, timeout_s: float = RUN_TIMEOUT_S) -> str:
        try:
            # In a session of its own, so that what a script starts can be ended with it.
            child = subprocess.Popen(
                [self.path, *args],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        except OSError as error:
            raise NotMeasured(error.strerror or str(error)) from error
        with child:
            try:
                output, errors = child.communicate(timeout=timeout_s)
            except BaseException as why:
                with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                    os.killpg(child.pid, signal.SIGKILL)
                if isinstance(why, subprocess.TimeoutExpired):
                    raise NotMeasured(f"no result after {timeout_s:.0f} s") from why
                raise
        if child.returncode < 0:
            raise NotMeasured(f"killed by signal {-child.returncode}")
        if child.returncode != 0:
            raise NotMeasured(errors.strip() or f"exit status {child.returncode}")
        return output

    def measure(self, row: str, ms: int, workers: int) -> tuple[float, str]:
        """One figure, and its unit."""
        output = self.call("run", row, "--ms", str(ms), "--workers", str(workers))
        try:
            report = json.loads(output)
            value, unit = float(report["value"]), str(report["unit"])
        except (ValueError, KeyError, TypeError) as error:
            raise NotMeasured(f"not a report: {output.strip()!r}") from error
        if report.get("row") != row or value <= 0:
            raise NotMeasured(f"not a figure of this row: {output.strip()}")
        return value, unit


@dataclass(frozen=True)
class Job:
    """What one figure is of."""

    program: Program
    row: str
    workers: int


def by_turns(
    jobs: list[Job], rounds: int, ms: int, tell: Callable[[str], None], failed: list[str], uncounted: int = 0
) -> tuple[dict[Job, list[float]], str]:
    """The figures of each job that never failed, and their unit. Every round runs each once, in a rotating order; the first
    so many are not counted."""
    figures: dict[Job, list[float]] = {}
    unit = ""
    left = list(jobs)
    for number in range(-uncounted, rounds):
        first = number % max(len(left), 1)
        for job in left[first:] + left[:first]:
            place = f"round {number + 1} of {rounds}" if number >= 0 else "not counted"
            tell(f"{job.row}: {place}, {job.program.name}")
            try:
                value, its_unit = job.program.measure(job.row, ms, job.workers)
                if unit not in ("", its_unit):
                    raise NotMeasured(f"in {its_unit}, where others measure in {unit}")
            except NotMeasured as why:
                failed.append(f"{job.program.name}, {job.row}: {why}")
                left.remove(job)
                figures.pop(job, None)
                continue
            unit = its_unit
            if number >= 0:
                figures.setdefault(job, []).append(value)
    return figures, unit


def find_programs(build: Path, names: Iterable[str], missed: list[str]) -> list[Program]:
    found = []
    for name in names:
        program = Program(name, build / "bench" / PROGRAMS[name])
        if not program.path.exists():
            missed.append(f"{name}: there is no {program.path}; {WHY_ABSENT[name]}")
            continue
        try:
            program.rows = program.call("list").split()
        except NotMeasured as why:
            missed.append(f"{name}: {why}")
            continue
        found.append(program)
    return found


class Progress:
    """One line on stderr that is rewritten in place; nothing where stderr is not a terminal."""

    def __init__(self, estimate_s: float = 0) -> None:
        self.shown = sys.stderr.isatty()
        self.estimate_s = estimate_s  # of all
        self.done_s = 0.0  # of that
        self.began = time.monotonic()

    def show(self, text: str, place: str = "") -> None:
        if not self.shown:
            return
        text = place + text
        if text and self.estimate_s > 0:
            # What was estimated, scaled by how it went so far.
            so_far = time.monotonic() - self.began
            pace = so_far / self.done_s if self.done_s > 0.1 * self.estimate_s else 1.0
            left = max(self.estimate_s * pace - so_far, 1)
            text += f" ({span(left)} left)"
        print(f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        self.show("")


def span(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"


def estimate_s(row: str, ms: int) -> float:
    """What one run of a row takes, about: the slower peers take longer."""
    of_ms = next((factor for start, factor in TAKES_MS.items() if row.startswith(start)), 1.7)
    return START_S + TAKES_S.get(row, 0) + of_ms * ms / 1000


def shorten(value: float) -> str:
    """Three significant digits, without an exponent: 158k, 1.33M."""
    if value >= 999_500:
        return shorten(value / 1e6) + "M"
    if value >= 100_000:
        return shorten(value / 1e3) + "k"
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def machine(load: float, cpus: list[int], **more: Any) -> dict[str, Any]:
    return {
        "cpu": cpu_model(),
        "cores": usable_cpus(),
        "kernel": platform.release(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "load": round(load, 2),
        "pinned": cpus,
        **more,
    }


def cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def affinity() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def usable_cpus() -> int:
    """Before `pin`: what this process was given."""
    return len(GIVEN)


GIVEN = affinity()


def pin(count: int) -> list[int]:
    """The first so many of the CPUs that this process was given: it and all that it starts keep to them from now on."""
    cpus = GIVEN[:count]
    os.sched_setaffinity(0, cpus)
    return cpus


def ranges(cpus: list[int]) -> str:
    """0-3,8 for 0, 1, 2, 3, 8."""
    parts: list[list[int]] = []
    for cpu in cpus:
        if parts and parts[-1][-1] == cpu - 1:
            parts[-1].append(cpu)
        else:
            parts.append([cpu])
    return ",".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts)


def control_of(program: Program) -> dict[str, float]:
    """What threads that only compute do: how much of a second core there is."""
    output = program.call("control")
    try:
        said: dict[str, float] = json.loads(output)
        return {key: float(said[key]) for key in ("one_ms", "two_ms", "two_threads_do")}
    except (ValueError, KeyError, TypeError) as error:
        raise NotMeasured(f"not a control: {output.strip()!r}") from error


def load_with_warning(always: bool = False) -> float:
    load = os.getloadavg()[0]
    disturbs = ": other work on this machine disturbs the figures" if load > BUSY else ""
    if always or disturbs:
        print(f"load average {load:.1f}{disturbs}", file=sys.stdout if always else sys.stderr)
    return load


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"wants a positive number, not {text!r}")
    return int(text)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (--help says more)\n")


def listed(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def value_of(figures: list[float] | None) -> float | None:
    return median(figures) if figures else None


def add_measuring_options(
    parser: argparse.ArgumentParser, rounds: int, ms: int, quick: tuple[int, int] = (3, 50)
) -> None:
    parser.add_argument("--build", type=Path, required=True, metavar="DIR", help="the build: programs are in DIR/bench")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=positive, metavar="N", help=f"default: {rounds}")
    parser.add_argument("--ms", type=positive, metavar="N", help=f"to measure, default: {ms}")
    parser.add_argument("--quick", action="store_true", help="%d rounds of %d ms: rougher figures, sooner" % quick)
    parser.set_defaults(usual=(rounds, ms), quickly=quick)


def check_measuring_options(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    rounds, ms = args.quickly if args.quick else args.usual
    args.rounds = args.rounds or rounds
    args.ms = args.ms or ms
    check_json(parser, args)


def check_json(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Before anything is measured. A file that is there stays as it is until the figures are."""
    if args.json is None:
        return
    try:
        new = not args.json.exists()
        with args.json.open("a", encoding="utf-8"):
            pass
        if new:
            args.json.unlink()
    except OSError as error:
        parser.error(f"cannot write {args.json}: {error.strerror}")


def write_json(path: Path | None, report: dict[str, Any]) -> None:
    if path is not None:
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def say_what_is_missing(lines: list[str]) -> None:
    if lines:
        print("not measured:")
        for line in lines:
            print("  " + line.replace("\n", "\n    "))


def command(name: str, work: Callable[[], int]) -> int:
    """The end of every `main`: what goes wrong in the work is said in one line."""
    try:
        return work()
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr)
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1

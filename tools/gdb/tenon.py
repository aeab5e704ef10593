"""Goroutines in gdb: of a program that runs, and of a core.

    (gdb) source PREFIX/share/tenon/gdb/tenon.py
    (gdb) info goroutines          all of them: number, state or what it waits for, name, where it was started
    (gdb) goroutine 7 bt           a command of gdb's in the place of goroutine 7; the same for one that waits on no thread
    (gdb) goroutine 7 frame apply level 3 info locals
    (gdb) goroutine all bt         of every one

Of a core: one that the kernel has written. gdb's own `generate-core-file` leaves out stacks, since it cannot read the guards between them.

Needs no debug information, nor symbols: where things are is in two tables of the library (src/platform/stack.cpp,
src/sched/goroutine.cpp), in a section of their own.
"""

import gdb
import gdb.unwinder

STATES = ("free", "starting", "runnable", "running", "waiting", "ended, not joined")
FREE, CREATED, RUNNABLE, RUNNING, WAITING, ENDED = range(6)


# ---- memory ------------------------------------------------------------------------------------------------------

def read(address, size):
    data = gdb.selected_inferior().read_memory(address, size)
    return int.from_bytes(bytes(data), "little")


def word(address):
    return read(address, 8)


def text_at(address):
    if address == 0:
        return None
    return gdb.Value(address).cast(gdb.lookup_type("char").pointer()).string(errors="replace")


def find(kind):
    """The address of the library's table of that kind."""
    version = None
    for line in gdb.execute("info files", to_string=True).splitlines():
        words = line.split()
        if len(words) < 5 or words[1] != "-" or words[3:5] != ["is", "tenon_debugger"]:
            continue
        for address in range(int(words[0], 16), int(words[2], 16), 8):
            here = bytes(gdb.selected_inferior().read_memory(address, 4))
            if here[:3] != kind:
                continue
            version = here[3]
            if version == 1:
                return address
    if version is None:
        raise gdb.GdbError("no goroutines: the program is not linked to tenon, or it has not been started")
    raise gdb.GdbError("this script reads version 1 of tenon's tables, and the program has version %d" % version)


def table(kind, fields):
    """The library's table of that kind: after its version 32-bit numbers, and the pointers after them."""
    address = find(kind)
    names, pointers = fields
    values = {name: read(address + 4 * (i + 1), 4) for i, name in enumerate(names)}
    at = (address + 4 * (len(names) + 1) + 7) & ~7
    values.update({name: word(at + 8 * i) for i, name in enumerate(pointers)})
    return values


STACKS = (("guard", "colours", "colour", "first", "size", "carved", "next"), ("slabs",))
GOROUTINES = (("size", "align", "id", "state", "reason", "reasons", "sp", "fp", "pc", "busy", "system", "has_run", "name", "where"),
              ("texts",))


# ---- goroutines --------------------------------------------------------------------------------------------------

class Goroutine:
    def __init__(self, layout, descriptor, low):
        self.low, self.top = low, descriptor
        self.id = word(descriptor + layout["id"])
        self.state = read(descriptor + layout["state"], 1)
        self.system = read(descriptor + layout["system"], 1) != 0
        self.sp = word(descriptor + layout["sp"])
        self.fp = word(descriptor + layout["fp"])
        self.pc = word(descriptor + layout["pc"])
        self.on_thread = read(descriptor + layout["busy"], 4) != 0
        self.has_run = read(descriptor + layout["has_run"], 1) != 0
        self.named = word(descriptor + layout["name"])
        self.where = word(descriptor + layout["where"])  # of a std::source_location: file, function, line
        reason = read(descriptor + layout["reason"], 1)
        self.reason = word(layout["texts"] + 8 * reason) if reason < layout["reasons"] else 0

    @property
    def name(self):
        return text_at(self.named)

    @property
    def created_at(self):
        if self.where == 0:
            return "?"
        return "%s:%d" % (text_at(word(self.where)), read(self.where + 16, 4))

    @property
    def status(self):
        if self.on_thread and self.state != ENDED:
            return "running"
        if self.state == WAITING:
            return text_at(self.reason) or "waiting"
        return STATES[self.state] if self.state < len(STATES) else "?"

    def thread(self):
        """The thread that it is on, if it is on one."""
        for thread in gdb.selected_inferior().threads():
            if self.low <= stack_pointer_of(thread) < self.top:
                return thread
        return None


def goroutines():
    """Those of the program, by number."""
    stacks = table(b"TST", STACKS)
    layout = table(b"TGO", GOROUTINES)
    found = []
    slab = word(stacks["slabs"])
    while slab != 0:
        first, size = word(slab + stacks["first"]), word(slab + stacks["size"])
        for i in range(read(slab + stacks["carved"], 4)):
            base = first + i * (stacks["guard"] + size)
            low = base + stacks["guard"]
            top = low + size - (base // (stacks["guard"] + size) % stacks["colours"]) * stacks["colour"]
            descriptor = (top - layout["size"]) & ~(layout["align"] - 1)
            try:
                if read(descriptor + layout["state"], 1) in (FREE, CREATED):
                    continue
                g = Goroutine(layout, descriptor, low)
            except gdb.MemoryError:  # a core may leave out what was never touched
                continue
            if not g.system:
                found.append(g)
        slab = word(slab + stacks["next"])
    return sorted(found, key=lambda g: g.id)


# ---- registers ---------------------------------------------------------------------------------------------------

def registers():
    name = gdb.selected_frame().architecture().name()
    if "aarch64" in name:
        return "pc", "sp", "x29"
    return "rip", "rsp", "rbp"


def stack_pointer_of(thread):
    current = gdb.selected_thread()
    thread.switch()
    try:
        return int(gdb.newest_frame().read_register(registers()[1]))
    finally:
        if current is not None:
            current.switch()


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Parked(gdb.unwinder.Unwinder):
    """While `goroutine` is set, the caller of the thread's innermost frame is where that goroutine goes on."""

    def __init__(self):
        super().__init__("tenon")
        self.goroutine = None
        self.innermost = 0

    def __call__(self, frame):
        g = self.goroutine
        pc, sp, fp = registers_of(frame)
        if g is None or int(frame.read_register(sp)) != self.innermost:
            return None
        # Below the goroutine's frames, as gdb wants it of the frame that they called.
        info = frame.create_unwind_info(FrameId(gdb.Value(g.sp - 64), frame.read_register(pc)))
        for register, value in ((pc, g.pc), (sp, g.sp), (fp, g.fp)):
            info.add_saved_register(register, gdb.Value(value).cast(frame.read_register(register).type))
        return info


def registers_of(frame):
    return ("pc", "sp", "x29") if "aarch64" in frame.architecture().name() else ("rip", "rsp", "rbp")


parked = Parked()
gdb.unwinder.register_unwinder(None, parked, replace=True)


class In:
    """with In(g): gdb's frames are those of g."""

    def __init__(self, g):
        self.g = g

    def __enter__(self):
        self.thread, self.frame = gdb.selected_thread(), gdb.selected_frame()
        if self.g.on_thread:
            thread = self.g.thread()
            if thread is None:
                raise gdb.GdbError("goroutine %d runs, and no thread's stack pointer is on its stack" % self.g.id)
            thread.switch()
            return
        if not self.g.has_run:
            raise gdb.GdbError("goroutine %d has not run yet: it has no frames" % self.g.id)
        if self.g.state == ENDED:
            raise gdb.GdbError("goroutine %d has ended: it has no frames" % self.g.id)
        gdb.newest_frame().select()
        parked.innermost = int(gdb.newest_frame().read_register(registers()[1]))
        parked.goroutine = self.g
        gdb.invalidate_cached_frames()
        older = gdb.newest_frame().older()
        if older is None:
            self.__exit__()
            raise gdb.GdbError("the frames of goroutine %d cannot be read" % self.g.id)
        older.select()

    def __exit__(self, *_):
        if parked.goroutine is not None:
            parked.goroutine = None
            gdb.invalidate_cached_frames()
        if self.thread is not None and self.thread.is_valid():
            self.thread.switch()
        if self.frame.is_valid():
            self.frame.select()


def run(g, command):
    with In(g):
        words = command.split()
        if g.on_thread or words[0] not in ("bt", "backtrace", "where"):
            gdb.execute(command)
            return
        # Frame 0 is not the goroutine's but the one that the thread is in.
        own, skip = [], False
        for line in gdb.execute(command, to_string=True).splitlines():
            if line.startswith("#"):
                skip = line.startswith("#0 ")
            if not skip:
                own.append(line)
        gdb.write("\n".join(own) + "\n")


# ---- commands ----------------------------------------------------------------------------------------------------

class InfoGoroutines(gdb.Command):
    """All goroutines: number, state or what it waits for, name, where it was started. One on a thread has a star."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STACK)

    def invoke(self, _argument, _from_tty):
        for g in goroutines():
            name = ' "%s"' % g.name if g.name else ""
            gdb.write("%s %d%s [%s], created at %s\n" % ("*" if g.on_thread else " ", g.id, name, g.status, g.created_at))


class GoroutineCommand(gdb.Command):
    """goroutine N COMMAND: a command of gdb's in the place of goroutine N, say "goroutine 7 bt"; "all" for N: every one."""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, argument, _from_tty):
        words = argument.split(None, 1)
        if len(words) != 2:
            raise gdb.GdbError("usage: goroutine N COMMAND, say: goroutine 7 bt")
        which, command = words
        everyone = goroutines()
        if which == "all":
            for g in everyone:
                gdb.write("\ngoroutine %d [%s], created at %s\n" % (g.id, g.status, g.created_at))
                try:
                    run(g, command)
                except gdb.error as e:
                    gdb.write("%s\n" % e)
            return
        if not which.isdigit():
            raise gdb.GdbError('goroutine: "%s" is not the number of one; info goroutines lists them' % which)
        chosen = [g for g in everyone if g.id == int(which)]
        if not chosen:
            raise gdb.GdbError("there is no goroutine %s; info goroutines lists those that there are" % which)
        run(chosen[0], command)


InfoGoroutines()
GoroutineCommand()

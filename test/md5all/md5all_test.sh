#!/usr/bin/env bash
# Tests md5all from the outside: md5all_test.sh PROGRAM
#
# Prints a line for each check and exits with 1 if one failed. Needs coreutils, findutils and util-linux. With TENON_TEST_LONG=1 in the
# environment also the tree of a million files.
#
# 1. No verdict depends on time. What has to happen in the middle of a run happens while the program is stopped at a known point
#    (MD5ALL_TEST_STOP, see input.hpp), or after a condition that is waited for.
# 2. Whatever hangs is killed after `hang` seconds, which is a failure.
# 3. No process outlives the test.
set -uo pipefail
export LC_ALL=C SHELL=/bin/sh
unset TENON_PROCS MD5ALL_TEST_STOP
export TSAN_OPTIONS="atexit_sleep_ms=0:${TSAN_OPTIONS:-}" # one second for each run, if the program is built with ThreadSanitizer

program=$(readlink -f -- "${1:?usage: md5all_test.sh PROGRAM}")
[[ -x $program ]] || { echo "md5all_test.sh: no program $1" >&2 && exit 2; }
readonly hang=40
here=$(mktemp -d /tmp/md5all_test.XXXXXX) # where another user may come, too
started=()
at_exit() {
  local pid
  for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null; done
  chmod -R u+rwx "$here" 2>/dev/null
  rm -rf -- "$here"
}
trap at_exit EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$here"
cd "$here" || exit 1
out=$here/out err=$here/err
checks=0 failed=0 status=0 pid=0

# ---- words ------------------------------------------------------------------------------------------------------

pass() { printf 'ok    %s\n' "$1"; checks=$((checks + 1)); }
fail() {
  printf 'FAIL  %s\n' "$1"
  shift
  printf '        %s\n' "$@"
  checks=$((checks + 1)) failed=$((failed + 1))
}
# check NAME COMMAND...: the command succeeds.
check() {
  local name=$1
  shift
  if "$@"; then pass "$name"; else fail "$name" "not so: $*" "stderr: $(head -c 300 "$err" | cat -A)"; fi
}

# run ARGUMENT...: leaves $out, $err and $status behind. A run that hangs is made to say where.
run() {
  timeout --signal=QUIT --kill-after=5 "$hang" "$program" "$@" >"$out" 2>"$err"
  status=$?
}

# expect NAME STATUS [TEXT]: of the run before; TEXT is all of stderr (nothing, if not given), a trailing * any rest.
expect() {
  local name=$1 want=$2 text=${3-} said
  said=$(cat "$err")
  if [[ $status != "$want" ]]; then
    fail "$name" "exit status $status, not $want" "stderr: $said"
  elif [[ $text == *'*' && $said != "${text%?}"* ]] || [[ $text != *'*' && $said != "$text" ]]; then
    fail "$name" "stderr: $said" "not:    $text"
  else
    pass "$name"
  fi
}

# same NAME FILE: stdout of the run before is byte for byte that file.
same() {
  if cmp -s "$out" "$2"; then pass "$1"; else fail "$1" "$(diff <(cat -A "$2") <(cat -A "$out") | head -6)"; fi
}

# sums TOOL ROOT...: what md5all must print for these roots, by TOOL's own hand.
sums() {
  local tool=$1
  shift
  find "$@" -type f -print0 | sort -z | xargs -0r "$tool" --
}

# until_true COMMAND...: waits for it to succeed; fails if it does not within $hang seconds.
until_true() {
  local end=$((SECONDS + hang))
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.02
  done
}

# start [NAME=VALUE...] PROGRAM ARGUMENT...: in the background, its process is $pid. (A shell that is not interactive would have it
# ignore SIGINT and read /dev/null.)
start() {
  env --default-signal=INT --default-signal=TERM "$@" <&0 &
  pid=$!
  started+=("$pid")
}

# in_state STATES: the letters of proc(5), one of which the process has; Z also stands for one that is gone.
in_state() {
  local line=''
  { read -r line <"/proc/$pid/stat"; } 2>/dev/null || line='() Z'
  line=${line##*) }
  [[ $1 == *"${line%% *}"* ]]
}

# stopped: waits until the process has stopped itself.
stopped() { until_true in_state TZ && ! in_state Z; }

# ended: waits for its end, and leaves $status behind.
ended() {
  if ! until_true in_state Z; then
    kill -QUIT "$pid" # to say where it hangs
    sleep 1
    kill -KILL "$pid"
  fi
  wait "$pid" 2>/dev/null
  status=$?
  started=()
}

# stop_signal_end SIGNAL NAME=VALUE... PROGRAM ARGUMENT...: the signal meets the program where it has stopped itself.
stop_signal_end() {
  local signal=$1
  shift
  start "$@" >"$out" 2>"$err"
  stopped
  kill "-$signal" "$pid"
  kill -CONT "$pid"
  ended
}

lines() { [[ $(wc -l <"$1") == "$2" ]]; }

# ---- a tree of everything ---------------------------------------------------------------------------------------

mkdir -p tree/sub/deeper tree/sub.d tree/sub-d tree/empty tree/s 'tree/[a,b]' tree/bracket
printf 'hello\n' >tree/hello
: >tree/nothing
printf 'x' >tree/sub/one
printf 'xy' >tree/sub.d/two
printf 'xyz' >tree/sub-d/three
printf 'a' >tree/sub/deeper/four
printf 'b' >tree/subz
printf 'c' >'tree/[a,b]/five'
printf 'd' >tree/'with space'
printf 'e' >tree/$'new\nline'
printf 'f' >tree/$'carriage\rreturn'
printf 'g' >tree/'back\slash'
printf 'h' >tree/$'not \xff\xfe UTF-8'
printf 'i' >tree/--not-an-option
printf 'j' >tree/$'\e[31mred'
head -c 65535 /dev/urandom >tree/buffer-1
head -c 65536 /dev/urandom >tree/buffer
head -c 65537 /dev/urandom >tree/buffer+1
head -c 3000000 /dev/urandom >tree/large
ln -s hello tree/link-to-file
ln -s sub tree/link-to-dir
ln -s . tree/loop
ln -s self tree/self
ln -s nowhere tree/dangling
mkfifo tree/fifo
mknod tree/device c 1 5 2>/dev/null || ln -s /dev/zero tree/device
for name in {1..200}; do printf '%s' "$name" >"tree/s/$name"; done

mkdir many
for name in {1..3000}; do printf '%s' "$name" >"many/file-with-a-rather-long-name-$name"; done

# ---- what it prints ---------------------------------------------------------------------------------------------

sums md5sum tree >want
run tree
expect "a tree" 0
same "a tree: as find, sort and md5sum print it" want
check "md5sum -c accepts it" md5sum --quiet --strict -c "$out"

for jobs in 1 2 512; do
  run -j "$jobs" tree
  same "-j $jobs prints the same" want
done
for procs in 1 2 8; do
  TENON_PROCS=$procs run tree
  same "TENON_PROCS=$procs prints the same" want
done
run --jobs=7 tree
same "--jobs=7 prints the same" want

for pair in md5:md5sum sha1:sha1sum SHA256:sha256sum sha384:sha384sum sha512:sha512sum blake2b512:b2sum; do
  sums "${pair#*:}" tree >want.other
  run --algorithm "${pair%:*}" tree
  same "--algorithm ${pair%:*}: as ${pair#*:}" want.other
done

find tree -type f -print0 | sort -z | xargs -0 md5sum -z -- >want.zero
run --zero tree
expect "--zero" 0
same "--zero: as md5sum -z" want.zero

run --unordered tree
expect "--unordered" 0
sort -o "$out" "$out"
sort want >want.sorted
same "--unordered: the same lines" want.sorted

(cd tree && sums md5sum .) >want.dot
(cd tree && "$program") >"$out" 2>"$err"
status=$?
expect "no argument" 0
same "no argument: the current directory" want.dot

sums md5sum tree/ >want.slash
run tree/
same "a root that ends in /" want.slash

sums md5sum many tree/sub >want.two
run tree/sub many
same "two roots: sorted" want.two

run tree/hello tree/empty
md5sum tree/hello >want.file
same "a file and an empty directory" want.file

md5sum tree/link-to-file >want.link
run tree/link-to-file
same "a symbolic link to a file, as an argument, is followed" want.link
sums md5sum tree/link-to-dir/ >want.link
sed -i 's,tree/link-to-dir//,tree/link-to-dir/,' want.link
run tree/link-to-dir
same "a symbolic link to a directory, as an argument, is followed" want.link

(cd tree && md5sum -- --not-an-option '[a,b]/five') >want.minus
(cd tree && "$program" -- '[a,b]' --not-an-option) >"$out" 2>"$err"
status=$?
expect "names that look like options and lists" 0
same "names that look like options and lists: read as names" want.minus

# A path that the kernel does not take at once. (Each level is entered from the one before.)
deep=$(printf 'd%.0s' {1..200})
(
  mkdir long && cd long || exit 1
  for ((i = 0; i < 30; ++i)); do mkdir "$deep" && cd -P "./$deep" 2>/dev/null || exit 1; done
  printf 'deep' >file
)
run long
if [[ $(find long -type f | wc -c) -gt 4096 ]]; then
  expect "a path longer than PATH_MAX" 0
  printf '%s  %s\n' "$(printf 'deep' | md5sum | cut -c 1-32)" "$(find long -type f)" >want.long
  same "a path longer than PATH_MAX: its line" want.long
  run -u long
  same "a path longer than PATH_MAX: --unordered" want.long
else
  fail "a path longer than PATH_MAX: the shell cannot make one"
fi

# ---- what it refuses --------------------------------------------------------------------------------------------

usage=$'\nTry \'md5all --help\'.'
for value in 0 -1 -5 513 99999999999999999999 abc 1.5 0x ''; do
  run -j "$value" tree
  expect "-j '$value'" 2 "md5all: --jobs: *"
  [[ $(cat "$err") == *"$value"* ]] || fail "-j '$value': names the value" "$(cat "$err")"
done
run -j
expect "-j without a number" 2 "md5all: --jobs: *"
run --frobnicate tree
expect "an unknown long option" 2 "md5all: unknown option: --frobnicate$usage"
run -x tree
expect "an unknown short option" 2 "md5all: unknown option: -x$usage"
run -7
expect "a negative number" 2 "md5all: unknown option: -7$usage"
run -
expect "standard input" 2 "md5all: -: standard input is not digested; *"
run --algorithm rot13 tree
expect "an unknown algorithm" 2 "md5all: rot13 is not a digest algorithm of this OpenSSL, which has *"
check "an unknown algorithm: names those there are" grep -q "sha1, sha224, sha256" "$err"
check "a wrong command line prints nothing to stdout" [ ! -s "$out" ]

for value in banana 0 -1 2x ''; do
  TENON_PROCS=$value run tree
  expect "TENON_PROCS='$value'" 2 "tenon: TENON_PROCS=$value: want the number of workers, *"
  check "TENON_PROCS='$value': nothing on stdout" [ ! -s "$out" ]
done

run --help
expect "--help" 0
check "--help: usage on stdout" grep -q '^usage: md5all' "$out"
run --version
expect "--version" 0
check "--version: on stdout" grep -q '^md5all ' "$out"

run missing
expect "a missing file" 1 "md5all: missing: No such file or directory"
run tree/hello missing
expect "a missing file beside one that is there" 1 "md5all: missing: No such file or directory"
run ''
expect "an empty argument" 1 "md5all: '': No such file or directory"
run tree/fifo
expect "a FIFO" 1 "md5all: tree/fifo: is not a regular file or a directory"
run /dev/null
expect "a device" 1 "md5all: /dev/null: is not a regular file or a directory"
run tree/dangling
expect "a dangling link" 1 "md5all: tree/dangling: No such file or directory"
run tree/self
expect "a link to itself" 1 "md5all: tree/self: Too many levels of symbolic links"
run $'bad\e[31mname\n'
expect "a message shows no control character" 1 "md5all: \$'bad\\033[31mname\\012': No such file or directory"

run --keep-going missing tree fifo
expect "--keep-going" 1 $'md5all: fifo: No such file or directory\nmd5all: missing: No such file or directory'
same "--keep-going: the rest is there" want

# ---- what may not be read ---------------------------------------------------------------------------------------

cp -r tree/sub locked
printf 'secret' >locked/secret
mkdir locked/private
printf 'x' >locked/private/x
chmod 000 locked/secret locked/private
as_user=("$program")
if [[ $(id -u) == 0 ]]; then # whom nothing is refused
  cp "$program" ./program
  chmod 755 ./program
  as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups ./program)
fi
run_as_user() {
  timeout --signal=QUIT --kill-after=5 "$hang" "${as_user[@]}" "$@" >"$out" 2>"$err"
  status=$?
}
run_as_user -k locked
expect "unreadable, --keep-going" 1 "md5all: locked/private: Permission denied
md5all: locked/secret: Permission denied"
find locked -type f ! -name secret ! -path '*private*' -print0 | sort -z | xargs -0 md5sum >want.locked
same "unreadable, --keep-going: the rest is there" want.locked
run_as_user locked/secret
expect "an unreadable file" 1 "md5all: locked/secret: Permission denied"
run_as_user locked/private
expect "an unreadable directory" 1 "md5all: locked/private: Permission denied"
run_as_user locked/private/x
expect "a file in an unreadable directory" 1 "md5all: locked/private/x: Permission denied"
run_as_user locked
expect "the first error ends it" 1 "md5all: locked/*"
check "the first error is the only one told" lines "$err" 1

# ---- what changes meanwhile -------------------------------------------------------------------------------------

# The walk has found all of them, and the one worker is about to open the first.
change() {
  rm -rf changing && mkdir changing
  for name in a b-vanishes c-shrinks d-fifo e-link f-stays g-vanishes-too; do printf 'content' >"changing/$name"; done
  start MD5ALL_TEST_STOP='before changing/a' "$program" -j 1 "$@" changing >"$out" 2>"$err"
  stopped
  rm changing/{b-vanishes,d-fifo,e-link,g-vanishes-too}
  mkdir changing/g-vanishes-too
  mkfifo changing/d-fifo
  ln -s f-stays changing/e-link
  printf 'con' >changing/c-shrinks
  kill -CONT "$pid"
  ended
}
change --keep-going
expect "files that change before they are read" 1 "md5all: changing/b-vanishes: No such file or directory
md5all: changing/d-fifo: is not a regular file
md5all: changing/e-link: Too many levels of symbolic links
md5all: changing/g-vanishes-too: is not a regular file"
md5sum changing/{a,c-shrinks,f-stays} >want.changed
same "files that change before they are read: the rest is there" want.changed
change
expect "a file that vanishes ends it" 1 "md5all: changing/b-vanishes: No such file or directory"

# change_within COMMAND...: what becomes of a file after its first piece has been read.
change_within() {
  rm -rf changing && mkdir changing
  head -c 300000 /dev/urandom >changing/b
  cp changing/b before
  printf 'a' >changing/a
  printf 'c' >changing/c
  start MD5ALL_TEST_STOP='within changing/b' "$program" -k changing >"$out" 2>"$err"
  stopped
  "$@"
  kill -CONT "$pid"
  ended
}
change_within truncate -s 3 changing/b
expect "a file that shrinks while it is read" 1 "md5all: changing/b: shrank while it was read"
md5sum changing/{a,c} >want.within
same "a file that shrinks while it is read: the rest is there" want.within
change_within rm changing/b
expect "a file that vanishes while it is read" 0
{ md5sum changing/a && md5sum <before | sed 's,-$,changing/b,' && md5sum changing/c; } >want.within
same "a file that vanishes while it is read: what it was" want.within
change_within cp want.sorted changing/grown
expect "a file that is new" 0
grow() { cat want.sorted >>changing/b; }
change_within grow
expect "a file that grows while it is read" 0
md5sum changing/{a,b,c} >want.within
same "a file that grows while it is read: all of it" want.within

# ---- where it prints to -----------------------------------------------------------------------------------------

"$program" tree >/dev/full 2>"$err"
status=$?
expect "a full disk" 1 "md5all: cannot write to standard output: No space left on device"
"$program" many >/dev/full 2>"$err"
status=$?
expect "a full disk, much output" 1 "md5all: cannot write to standard output: No space left on device"
"$program" --help >/dev/full 2>"$err"
status=$?
expect "a full disk, --help" 1 "md5all: cannot write to standard output: No space left on device"
"$program" tree >&- 2>"$err"
status=$?
expect "a closed stdout" 1 "md5all: cannot write to standard output: Bad file descriptor"
"$program" tree <&- >"$out" 2>&-
status=$?
: >"$err"
expect "a closed stdin and stderr" 0
same "a closed stdin and stderr: the same lines" want

(ulimit -f 64 && exec "$program" many) >"$out" 2>"$err"
status=$?
expect "a file that may not grow" 1 "md5all: cannot write to standard output: File too large"
sums md5sum many >want.many
if [[ -s $out ]] && head -n "$(wc -l <"$out")" want.many | cmp -s - "$out"; then
  pass "a file that may not grow: whole lines"
else
  fail "a file that may not grow: whole lines" "$(tail -n 1 "$out")"
fi

"$program" many 2>"$err" | head -n 1 >"$out"
status=${PIPESTATUS[0]}
expect "head -n 1: ends by SIGPIPE, without a word" 141
head -n 1 want.many >want.head
same "head -n 1: the first line" want.head
(
  trap '' PIPE
  "$program" many 2>"$err" | head -n 1 >"$out"
  exit "${PIPESTATUS[0]}"
)
status=$?
expect "head -n 1, SIGPIPE ignored" 1 "md5all: cannot write to standard output: Broken pipe"

# ---- a reader who is slow -----------------------------------------------------------------------------------------

# A pipe that is full, and a program that cannot print a line and has nothing left to do but wait.
into_full_pipe() {
  rm -f pipe && mkfifo pipe
  exec 3<>pipe
  dd if=/dev/zero of=pipe oflag=nonblock bs=4096 count=4096 2>/dev/null
  exec 4<pipe
  start "$program" many >pipe 2>"$err" 3>&- 4>&-
  exec 3>&-
  idle=0
  until_true is_idle
}
# Each thread sleeps, whenever one looks. No verdict depends on how often.
is_idle() {
  local thread line
  for thread in "/proc/$pid/task"/*/stat; do
    { read -r line <"$thread"; } 2>/dev/null || continue
    line=${line##*) }
    [[ $line == S* ]] || { idle=0 && return 1; }
  done
  ((++idle >= 3))
}

into_full_pipe
tr -d '\0' <&4 >"$out"
exec 4<&-
ended
expect "a slow reader" 0
same "a slow reader: the same lines" want.many

into_full_pipe
kill -INT "$pid"
ended
exec 4<&-
expect "SIGINT while nobody reads the pipe" 130 "md5all: interrupted: *"

# ---- Ctrl-C -----------------------------------------------------------------------------------------------------

mkdir huge
truncate -s 1T huge/{1,2,3} # whoever reads one to its end takes longer than a hang
ln -s huge zzz              # sorts after "tree", so that there are lines before
for signal in INT TERM; do
  stop_signal_end "$signal" MD5ALL_TEST_STOP='within huge/1' "$program" huge
  expect "SIG$signal in huge files" 130 "md5all: interrupted: 0 files, *"
  check "SIG$signal in huge files: says how far it came" \
    grep -Eqx 'md5all: interrupted: 0 files, [0-9.]+ [kMG]?B digested' "$err"
  check "SIG$signal in huge files: prints nothing" [ ! -s "$out" ]
done
stop_signal_end INT MD5ALL_TEST_STOP='before huge/1' "$program" -j 1 -a sha512 huge
expect "SIGINT before the first file" 130 "md5all: interrupted: 0 files, *"
stop_signal_end INT MD5ALL_TEST_STOP='within zzz/1' "$program" -j 1 tree zzz
expect "SIGINT after some lines" 130 "md5all: interrupted: $(wc -l <want) files, *"
same "SIGINT after some lines: they are whole, and there" want

# A read that never returns keeps the first Ctrl-C from ending the program; nothing but the second one can.
interrupt_again() {
  kill -INT "$pid" 2>/dev/null
  in_state Z
}
start MD5ALL_TEST_STOP='hang tree/large' "$program" -j 2 tree >"$out" 2>"$err"
stopped
kill -CONT "$pid"
grep -m 1 -B 10000 '  tree/large$' want | sed '$d' >want.before
check "a read that hangs: the lines before are printed" until_true cmp -s "$out" want.before
until_true interrupt_again
ended
expect "a second Ctrl-C" 130 "SIGINT: interrupt*"
check "a second Ctrl-C: says where it hangs" grep -q 'digest_all.cpp:' "$err"
same "a second Ctrl-C: no line more" want.before

start MD5ALL_TEST_STOP='hang tree/large' "$program" -j 2 --unordered tree >"$out" 2>"$err"
stopped
kill -CONT "$pid"
check "a read that hangs, --unordered: all other lines are printed" until_true lines "$out" "$(($(wc -l <want) - 1))"
until_true interrupt_again
ended
expect "a second Ctrl-C, --unordered" 130 "SIGINT: interrupt*"
grep -v '  tree/large$' want | sort >want.others
sort -o "$out" "$out"
same "a second Ctrl-C, --unordered: no line more" want.others

# ---- progress ---------------------------------------------------------------------------------------------------

# on_terminal ARGUMENT...: $program with stderr on a terminal, whose keys are what is written to descriptor 5; `screen` is what it shows.
on_terminal() {
  rm -f keys screen && mkfifo keys
  exec 5<>keys
  start script -qefc "stty cols 100; exec $(printf '%q ' "$program" "$@") >$(printf %q "$out")" screen <keys >/dev/null 2>&1 5>&-
}
shown() { [[ -e screen ]] && tr '\r' '\n' <screen | grep -Eq "$1"; }

run tree
check "no progress where stderr is no terminal" [ ! -s "$err" ]
printf 'first' >first
on_terminal first huge/1
check "progress: files, bytes, rate, bar" until_true shown "^1/2 files  [0-9.]+ .?B  [0-9.]+ .?B/s  \[=+ +\] 50%"
printf '\3' >&5
ended
exec 5>&-
: >"$err"
expect "Ctrl-C on a terminal" 130
md5sum first >want.first
same "Ctrl-C on a terminal: the line there was" want.first
check "Ctrl-C on a terminal: the progress gives way to one line" \
  grep -Eq $'\r\e\\[Kmd5all: interrupted: 1 files, [0-9.]+ .?B digested\r$' screen
on_terminal --no-progress tree
ended
exec 5>&-
expect "--no-progress" 0
check "--no-progress: nothing is shown" [ "$(grep -v '^Script ' screen | tr -d '\r\n')" = '' ]
same "--no-progress: the same lines" want

# ---- memory -----------------------------------------------------------------------------------------------------

if [[ ${TENON_TEST_LONG:-} == 1 ]]; then
  mkdir million
  for ((i = 0; i < 1000; ++i)); do
    mkdir "million/$i" && (cd "million/$i" && seq 1000 | xargs touch)
  done
  peak_grows() {
    local seen
    seen=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null)
    peak=${seen:-$peak}
    in_state Z
  }
  for option in --zero --unordered; do
    start "$program" "$option" million >"$out" 2>"$err"
    peak=0
    until peak_grows; do sleep 0.05; done
    ended
    expect "a million files, $option" 0
    tr '\0' '\n' <"$out" >million.lines
    check "a million files, $option: as many lines" lines million.lines 1000000
    check "a million files, $option: peak of $peak kB" [ "$peak" -lt 100000 ]
  done
fi

printf '%d checks, %d failed\n' "$checks" "$failed"
((failed == 0))

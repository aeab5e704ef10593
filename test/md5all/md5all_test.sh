#!/usr/bin/env bash
# Tests md5all from the outside: md5all_test.sh PROGRAM
#
# Prints a line for each check and exits with 1 if one failed. Needs coreutils, findutils and util-linux. Environment:
#   MD5ALL_TEST_LIMIT_MS  how long an interrupted run may take to end (default 300: 100, and room for a busy machine)
#   TENON_TEST_LONG=1     also the tree of a million files
set -uo pipefail
export LC_ALL=C
unset TENON_PROCS

program=$(readlink -f -- "${1:?usage: md5all_test.sh PROGRAM}")
[[ -x $program ]] || { echo "md5all_test.sh: no program $1" >&2 && exit 2; }
limit_ms=${MD5ALL_TEST_LIMIT_MS:-30000} # a bound for hangs; ./run check timing sets a small one
here=$(mktemp -d "${TMPDIR:-/tmp}/md5all_test.XXXXXX")
trap 'chmod -R u+rwx "$here" 2>/dev/null; rm -rf -- "$here"' EXIT
chmod 755 "$here"
cd "$here" || exit 1
out=$here/out err=$here/err
checks=0 failed=0 status=0

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
skip() { printf 'skip  %s\n' "$1"; }

# run ARGUMENT...: leaves $out, $err and $status behind. A run that hangs is made to say where.
run() {
  timeout --signal=QUIT --kill-after=5 60 "$program" "$@" >"$out" 2>"$err"
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

now_ms() { printf '%d\n' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

# interrupt NAME SIGNAL PID: the program must end, with status 130, in time.
interrupt() {
  local name=$1 signal=$2 pid=$3 begin took
  begin=$(now_ms)
  kill "-$signal" "$pid"
  (sleep 40 && kill -KILL "$pid") >/dev/null 2>&1 &
  local watchdog=$!
  wait "$pid" 2>/dev/null
  status=$?
  took=$(($(now_ms) - begin))
  kill "$watchdog" 2>/dev/null
  wait "$watchdog" 2>/dev/null
  if ((took > limit_ms)); then
    fail "$name" "took $took ms, more than $limit_ms ms"
  else
    expect "$name (took $took ms)" 130 "md5all: interrupted: *"
  fi
}

# Non-interactive shells start background commands with SIGINT ignored.
readonly as_if_typed=(env --default-signal=INT --default-signal=TERM)

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
  skip "a path longer than PATH_MAX: the shell cannot make one"
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
as_user=()
if [[ $(id -u) == 0 ]]; then
  cp "$program" ./program
  as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups ./program)
else
  as_user=("$program")
fi
if ! "${as_user[@]}" --version >/dev/null 2>&1; then
  skip "unreadable files: this user cannot become another one"
else
  "${as_user[@]}" -k locked >"$out" 2>"$err"
  status=$?
  expect "unreadable, --keep-going" 1 "md5all: locked/private: Permission denied
md5all: locked/secret: Permission denied"
  find locked -type f -readable ! -name secret ! -path '*private*' -print0 | sort -z | xargs -0 md5sum >want.locked
  same "unreadable, --keep-going: the rest is there" want.locked
  "${as_user[@]}" locked/secret >"$out" 2>"$err"
  status=$?
  expect "an unreadable file" 1 "md5all: locked/secret: Permission denied"
  "${as_user[@]}" locked/private >"$out" 2>"$err"
  status=$?
  expect "an unreadable directory" 1 "md5all: locked/private: Permission denied"
  "${as_user[@]}" locked >"$out" 2>"$err"
  status=$?
  expect "the first error ends it" 1 "md5all: locked/*"
  check "the first error is the only one told" [ "$(wc -l <"$err")" = 1 ]
fi

# ---- what changes meanwhile -------------------------------------------------------------------------------------

# One worker is busy with the first file while the walk has passed the others.
mkdir changing
for name in b-vanishes c-shrinks d-fifo e-link f-stays g-vanishes-too; do printf 'content' >"changing/$name"; done
truncate -s 1500M changing/a-huge
"$program" -k -j 1 changing >"$out" 2>"$err" &
pid=$!
sleep 0.4
rm changing/{b-vanishes,d-fifo,e-link,g-vanishes-too}
mkdir changing/g-vanishes-too
mkfifo changing/d-fifo
ln -s f-stays changing/e-link
truncate -s 3 changing/c-shrinks
truncate -s 1M changing/a-huge
wait "$pid"
status=$?
expect "files that change meanwhile" 1 "md5all: changing/b-vanishes: No such file or directory
md5all: changing/d-fifo: is not a regular file
md5all: changing/e-link: Too many levels of symbolic links
md5all: changing/g-vanishes-too: is not a regular file"
rest=$(printf 'con' | md5sum | cut -c 1-32)
check "a file that shrinks is what was read" grep -qx "$rest  changing/c-shrinks" "$out"
cut -c 35- "$out" >names
mv names "$out"
printf 'changing/%s\n' a-huge c-shrinks f-stays >want.names
same "files that change meanwhile: the rest is there" want.names

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
expect "head -n 1, SIGPIPE ignored" 1

# Whoever reads gets whole lines at a time, also through a slow pipe.
"$program" many | (
  sleep 0.3
  cat
) >"$out"
same "a slow reader" want.many

# ---- Ctrl-C -----------------------------------------------------------------------------------------------------

mkdir huge
for name in 1 2 3; do truncate -s 20G "huge/$name"; done
for signal in INT TERM; do
  "${as_if_typed[@]}" "$program" huge >"$out" 2>"$err" &
  sleep 0.5
  interrupt "SIG$signal in huge files" "$signal" $!
done
check "SIGTERM in huge files: says how far it came" \
  grep -Eqx 'md5all: interrupted: 0 files, [0-9.]+ [kMG]B digested' "$err"

"${as_if_typed[@]}" "$program" -j 1 -a sha512 tree huge >"$out" 2>"$err" &
sleep 0.5
interrupt "SIGINT with one worker" INT $!

mkfifo pipe
exec 3<>pipe # a reader who does not read
"${as_if_typed[@]}" "$program" many tree many many >pipe 2>"$err" &
sleep 0.7
interrupt "SIGINT while nobody reads the pipe" INT $!
exec 3>&-

ln -s huge zzz # sorts after "tree", so that there are lines
"${as_if_typed[@]}" "$program" tree zzz >"$out" 2>"$err" &
sleep 0.7
interrupt "SIGINT after some lines" INT $!
same "SIGINT after some lines: they are whole, and there" want

# ---- progress ---------------------------------------------------------------------------------------------------

run tree
check "no progress where stderr is no terminal" [ ! -s "$err" ]
if command -v script >/dev/null; then
  truncate -s 400M slow-file
  command="$(printf %q "$program") slow-file tree/hello >$(printf %q "$out")"
  script -qec "stty cols 100; $command" /dev/null >screen </dev/null
  md5sum slow-file tree/hello >want.slow
  same "with progress: the lines" want.slow
  tr '\r' '\n' <screen >frames
  cp screen "$err"
  check "with progress: files, bytes, rate, bar" grep -Eq '^0/2 files  [0-9.]+ .?B  [0-9.]+ .?B/s  \[=* *\] 0%' frames
  check "with progress: cleared at the end" [ "$(tail -c 4 screen)" = $'\r\e[K' ]
  script -qec "$(printf %q "$program") --no-progress slow-file >$(printf %q "$out")" /dev/null >screen </dev/null
  check "--no-progress" [ ! -s screen ]
else
  skip "progress: no script(1)"
fi

# ---- memory -----------------------------------------------------------------------------------------------------

if [[ ${TENON_TEST_LONG:-} == 1 ]]; then
  mkdir million
  for ((i = 0; i < 1000; ++i)); do
    mkdir "million/$i" && (cd "million/$i" && seq 1000 | xargs touch)
  done
  for option in --zero --unordered; do
    "$program" "$option" million >"$out" 2>"$err" &
    pid=$!
    peak=0
    while seen=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null) && [[ -n $seen ]]; do
      peak=$seen
      sleep 0.05
    done
    wait "$pid"
    status=$?
    expect "a million files, $option" 0
    lines=$(tr '\0' '\n' <"$out" | wc -l)
    if ((lines == 1000000 && peak < 100000)); then
      pass "a million files, $option: peak of $peak kB"
    else
      fail "a million files, $option" "$lines lines, peak of $peak kB"
    fi
  done
fi

printf '%d checks, %d failed\n' "$checks" "$failed"
((failed == 0))

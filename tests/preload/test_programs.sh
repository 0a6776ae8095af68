#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everyday programs, run as they are and in emulated RAM well below their heap: the same output to the byte, the same exit status.
#
#   sh test_programs.sh KMEM_RUN NAME
#
# NAME is one of the functions program_NAME below. Each is run in a directory of its own with the command to put before the program in $RUN,
# empty the first time, and prints what it has to show; then with RAM and file stores. 77 where the program is not installed.
set -u

kmem_run=$(realpath "$1")
name=$2

# What each needs, its emulated RAM, and how long a run may take.
ram=8M
limit=120

need() {
	for command; do
		if ! command -v "$command" >/dev/null; then
			echo "test_programs.sh: $command is not installed" >&2
			exit 77
		fi
	done
}

# Lines of numbers and words, the same every time: $1 of them.
lines() {
	awk -v count="$1" 'BEGIN {
		seed = 12345
		for (i = 0; i < count; i++) {
			seed = (seed * 1103515245 + 12345) % 2147483648
			printf "%08x %d line number %d of the file\n", seed, seed % 1000, i
		}
	}'
}

# shellcheck disable=SC2086 # RUN is a command and its options, a word each
run() {
	timeout "$limit" $RUN "$@"
}

program_sort() {
	[ -f ../lines ] || lines 200000 >../lines
	run env LC_ALL=C sort --parallel=4 -S 64M ../lines | cksum
	run env LC_ALL=C sort --parallel=2 -S 48M -k 2,2n -k 1,1 ../lines | cksum
}

program_python() {
	need python3
	cat >work.py <<'END'
import hashlib, json, subprocess, sys, threading
data = {str(i): [i, i * 0.5, "text %d" % i, {"a": i % 7}] for i in range(40000)}
text = json.dumps(data)
back = json.loads(text)
print(len(text), back == data, hashlib.sha256(text.encode()).hexdigest())
results = {}
def work(n):
    rows = [(i * 7919 % 100003, "row %d" % i) for i in range(n, n + 20000)]
    rows.sort()
    results[n] = hashlib.md5(repr(rows).encode()).hexdigest()
threads = [threading.Thread(target=work, args=(n,)) for n in range(0, 80000, 20000)]
for t in threads: t.start()
for t in threads: t.join()
print(sorted(results.items()))
out = subprocess.run([sys.executable, "-c", "print(sum(len(str(i)) for i in range(100000)))"], capture_output=True, text=True)
print(out.returncode, out.stdout.strip(), out.stderr)
p = subprocess.Popen(["sort", "-n"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
out, _ = p.communicate("\n".join(str(i * 7919 % 50021) for i in range(50000)).encode())
print(p.returncode, hashlib.md5(out).hexdigest())
END
	run python3 work.py
}

program_sqlite() {
	need sqlite3
	cat >work.sql <<'END'
CREATE TABLE item (id INTEGER PRIMARY KEY, kind INTEGER, name TEXT, price REAL);
CREATE TABLE sale (id INTEGER PRIMARY KEY, item INTEGER, amount INTEGER, day INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
INSERT INTO item SELECT i, i % 37, 'item number ' || i || ' ' || hex(i * 7919), (i * 31 % 1000) / 10.0 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120000)
INSERT INTO sale SELECT i, i * 7919 % 40000 + 1, i % 13, i % 365 FROM n;
CREATE INDEX sale_item ON sale (item, day);
SELECT kind, count(*), sum(amount * price), max(name) FROM item JOIN sale ON sale.item = item.id GROUP BY kind ORDER BY 3 DESC;
SELECT day, count(DISTINCT item) FROM sale GROUP BY day ORDER BY 2, 1 LIMIT 20;
SELECT name FROM item WHERE id NOT IN (SELECT item FROM sale WHERE day < 180) ORDER BY price, name LIMIT 50;
END
	run sqlite3 :memory: <work.sql
}

program_perl() {
	need perl
	cat >work.pl <<'END'
my %count; my @rows;
for my $i (0 .. 60000) { my $key = ($i * 7919) % 50021; $count{"key $key"} += $i; push @rows, "row $key of $i"; }
@rows = sort { $a cmp $b } @rows;
print scalar(keys %count), " $rows[0] $rows[-1] ", join(",", (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count)[0 .. 9]), "\n";
my $text = join("\n", @rows); my $n = 0; $n++ while $text =~ /row (\d+)7 of \d*3\b/g; print "$n\n";
my $out = `echo from a child | tr a-z A-Z`; print $out;
open(my $pipe, "|-", "sort | tail -n 1") or die; print $pipe "$_\n" for @rows[0 .. 2000]; close $pipe; print "status $?\n";
END
	run perl work.pl
}

program_bash() {
	need bash
	cat >work.bash <<'END'
set -o pipefail
declare -A seen
for ((i = 0; i < 20000; i++)); do seen["key $((i * 7919 % 5003))"]+="$i,"; done
echo "${#seen[@]} ${#seen[key 17]}"
for ((i = 0; i < 20000; i++)); do printf '%s\n' "$((i * 31 % 7001)) line"; done | sort -n | uniq -c | awk '{ s += $1 * $2 } END { print s, NR }'
x=$(seq 1 30000 | grep 7 | wc -l); echo "$x"
f() { local depth=$1; ((depth == 0)) && { echo bottom; return 3; }; (f $((depth - 1))); }
f 12; echo "status $?"
cat <(seq 5) <(printf 'a\nb\n') | while read -r word; do echo "<$word>"; done
big=$(head -c 3000000 /dev/zero | tr '\0' x); echo ${#big}
trap 'echo caught' USR1; kill -USR1 $$; wait
sleep 5 & kill -TERM $!; wait $!; echo "status $?"
END
	run bash work.bash
}

program_git() {
	need git
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
	export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z' GIT_CONFIG_NOSYSTEM=1 HOME="$PWD"
	mkdir repository && cd repository || return 1
	run git -c init.defaultBranch=main init -q .
	for round in 1 2 3; do
		mkdir -p "dir$round"
		for i in 1 2 3 4 5 6 7 8; do
			lines $((i * 700)) | sed "s/file/file $round.$i/" >"dir$round/file$i"
			lines $((i * round * 50)) >"file$i"
		done
		run git add -A && run git commit -qm "commit $round"
	done
	run git log --stat --format='%H %s' | cksum
	run git diff HEAD~2 | cksum
	run git gc -q --aggressive --prune=now
	run git fsck --full --strict 2>&1
	run git blame file8 | cksum
	run git archive HEAD | cksum
	run git clone -q . ../clone && cd ../clone && run git rev-parse HEAD
}

program_gcc() {
	need gcc
	cat >work.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define F(n) static unsigned f##n(unsigned x) { unsigned a[64]; for (unsigned i = 0; i < 64; i++) a[i] = x * (i + n); \
	switch (x % 7) { case 0: return a[x % 64]; case 1: return a[3] ^ x; case 2: return a[5] + n; default: return a[x % 13] * 31; } }
#define G(n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7)
#define C(n) x = f##n##0(x) + f##n##1(x) + f##n##2(x) + f##n##3(x) + f##n##4(x) + f##n##5(x) + f##n##6(x) + f##n##7(x);
G(1) G(2) G(3) G(4) G(5) G(6) G(7) G(8) G(9) G(10) G(11) G(12) G(13) G(14) G(15) G(16)
int main(void) { unsigned x = 1; for (int i = 0; i < 1000; i++) { C(1) C(2) C(3) C(4) C(5) C(6) C(7) C(8) C(9) C(10) C(11) C(12) C(13) C(14) C(15) C(16) }
	printf("%u\n", x); return 0; }
END
	run gcc -O2 -S -o - work.c | cksum
	run gcc -O2 -o work work.c && ./work
	run gcc -O0 -g -c -o work.o work.c && run objdump -d work.o | cksum
	run gcc -c -o bad.o bad.c 2>&1
}

program_xz() {
	need xz
	[ -f ../lines ] || lines 200000 >../lines
	run xz -1 -k -c ../lines | tee lines.xz | cksum
	run xz -d -c lines.xz | cksum
	run xz -0 -T2 --block-size=1MiB -c ../lines | cksum
}

program_tar() {
	[ -f ../lines ] || lines 200000 >../lines
	mkdir tree out
	for i in 1 2 3 4 5 6 7 8 9; do
		mkdir "tree/$i"
		head -n $((i * 1000)) ../lines >"tree/$i/file"
		ln -s file "tree/$i/link"
	done
	run tar -c --sort=name --owner=0 --group=0 --mtime=@0 tree | run gzip -n | run gzip -d | run tar -x -C out -f -
	diff -r tree out/tree && echo same
	run tar -cz --sort=name --owner=0 --group=0 --mtime=@0 tree | gzip -d | cksum
}

program_cxx() {
	need g++
	cat >work.cc <<'END'
#include <atomic>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <condition_variable>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
struct error : std::runtime_error { std::vector<int> more; explicit error(const std::string &w) : std::runtime_error(w), more(1000, 7) {} };
static long work(int n, int depth) { auto p = std::make_unique<std::string>(100 + n, 'x'); if (depth == 0) { if (n % 3 == 0) throw error("n " + std::to_string(n)); return n; } return work(n, depth - 1) + (long)p->size(); }
int main() {
	std::vector<std::thread> threads; std::mutex m; std::condition_variable cv; std::map<std::string, long> sums; std::atomic<long> caught{0}; int ready = 0;
	for (int t = 0; t < 8; t++) threads.emplace_back([&, t] {
		std::map<std::string, std::string> local; long sum = 0;
		for (int i = 0; i < 6000; i++) {
			std::ostringstream s; s << "key " << i * 7919 % 3001 << " of " << t; local[s.str()] += std::string(40, 'a' + i % 26);
			if (i % 10 == 0) try { sum += work(i, 20); } catch (const error &e) { caught++; sum += (long)e.more.size() + e.what()[2]; }
		}
		for (auto &e : local) sum += (long)e.second.size() * e.second.front();
		{ std::lock_guard<std::mutex> l(m); sums["thread " + std::to_string(t)] = sum; ready++; } cv.notify_all();
	});
	{ std::unique_lock<std::mutex> l(m); cv.wait(l, [&] { return ready == 8; }); }
	for (auto &t : threads) t.join();
	for (auto &s : sums) std::cout << s.first << ' ' << s.second << '\n';
	std::cout << caught << std::endl;
	try { std::vector<int> v(10); v.at(99); } catch (const std::out_of_range &e) { std::cout << "out of range" << std::endl; }
	try { new char[~0UL >> 2]; } catch (const std::bad_alloc &) { std::cout << "bad alloc" << std::endl; }
}
END
	[ -x ../cxx ] || g++ -O1 -pthread -Wno-alloc-size-larger-than -o ../cxx work.cc
	run ../cxx
}

program_redis() {
	need redis-server redis-benchmark redis-cli
	# shellcheck disable=SC2086
	timeout "$limit" $RUN redis-server --port 0 --unixsocket "$PWD/s" --save '' --appendonly no --daemonize no --logfile log &
	server=$!
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		redis-cli -s s ping >/dev/null 2>&1 && break
		sleep 0.2
	done
	redis-benchmark -s s -q -n 3000 -c 20 -d 100 -r 20000 -t set,get,incr,lpush,rpop,sadd,hset,lrange_100,mset >benchmark 2>&1
	echo "benchmark $?"
	redis-cli -s s flushall
	lines 20000 | awk '{ printf "SET key:%s %s\n", NR, $0 }' | tr -d '"' | sed 's/^SET \([^ ]*\) \(.*\)/SET \1 "\2"/' | redis-cli -s s | sort | uniq -c
	redis-cli -s s dbsize
	for i in 1 77 9999 20000; do redis-cli -s s get "key:$i"; done
	redis-cli -s s --raw eval 'local s = 0 for i = 1, 20000 do s = s + #redis.call("get", "key:" .. i) end return s' 0
	redis-cli -s s bgsave >/dev/null
	sleep 1
	redis-cli -s s shutdown nosave
	wait $server
	echo "status $?"
}

program_node() {
	need node
	cat >work.js <<'END'
const crypto = require('crypto'), zlib = require('zlib'), child = require('child_process');
const data = []; for (let i = 0; i < 60000; i++) data.push({ id: i, name: 'name ' + (i * 7919 % 10007), values: [i, i / 2, String(i)] });
const text = JSON.stringify(data); const back = JSON.parse(text);
console.log(text.length, back.length, crypto.createHash('sha256').update(text).digest('hex'));
console.log(zlib.gunzipSync(zlib.gzipSync(text)).toString() === text);
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); } console.log(fib(27));
console.log(child.execSync('echo child | tr a-z A-Z').toString());
const { Worker, isMainThread } = require('worker_threads');
new Worker('require("worker_threads").parentPort.postMessage(Array.from({length: 50000}, (_, i) => i * i % 1009).sort((a, b) => a - b).slice(-3))', { eval: true }).on('message', (m) => console.log(m));
END
	run node work.js
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# Run it in a directory of its own, with $2 before the program.
once() {
	mkdir "$work/$1" && cd "$work/$1" || exit 1
	RUN=$2
	"program_$name" >"$work/$1.out" 2>"$work/$1.err"
	status=$?
	[ $status -ne 77 ] || exit 77
	echo "status $status" >>"$work/$1.out"
	cd "$work" || exit 1
}

command -v "program_$name" >/dev/null || {
	echo "test_programs.sh: no such program: $name" >&2
	exit 2
}
(once plain '') || exit $?
case $name in
# Less, where the heap is small; more, where it is large and used at random, which takes long.
redis) ram=4M ;;
xz) ram=24M ;;
node) ram=64M ;;
esac
failed=0
for store in ram file; do
	(once "$store" "$kmem_run --ram $ram --store $store --")
	if ! cmp -s "$work/plain.out" "$work/$store.out"; then
		echo "$name: differs with the $store store, RAM $ram:" >&2
		diff "$work/plain.out" "$work/$store.out" | head -n 30 >&2
		head -n 30 "$work/$store.err" >&2
		failed=1
	fi
done
exit $failed

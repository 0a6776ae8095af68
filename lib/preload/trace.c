/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backtraces.
 *
 * Theory of operation. The unwinder of the C compiler's run-time library walks the stack by the tables that every object has for
 * exceptions, so programs need neither frame pointers nor debug information. It finds those tables through _dl_find_object(), which
 * takes no lock, and allocates nothing but at its very first use, which is at init. The walk ends at the first address that belongs to no
 * object, such as code that was made at run time: no table tells what lies behind it. Tables that were written by hand may be wrong, and
 * then the unwinder reads what is not there: the trap's handler asks walk_rescue(), which has the walk end there.
 *
 * Programs allocate at few places, so a backtrace is kept once, in an *entry*: words in one large array that the host gives memory for as
 * it is used. The number of a backtrace is the index of its entry, and entries with the same hash are chained. Entries never change or go
 * away once they are published, so looking one up takes no lock; adding one takes the table's lock, with signals blocked.
 *
 * Names come from the tables of exported functions of the object, read in place: the dynamic linker's own functions for that take its
 * lock, which the interrupted code may hold.
 */
#include "preload/trace.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "host/copy.h"
#include "host/lock.h"
#include "host/log.h"
#include "host/memory.h"
#include "host/signals.h"

/* Bytes of the table at most: a million backtraces of full depth and more. */
#define TABLE_SIZE (256UL << 20)
#define TABLE_WORDS (TABLE_SIZE / sizeof(uintptr_t))

#define BUCKETS (1UL << 18)

/* Frames of a backtrace that is printed at once and not kept. */
#define PRINT_DEPTH 32

/* Frames that a walk passes at most, those that it skips included: damaged stacks may go round in circles. */
#define WALK_DEPTH 128

/* Bytes of a name that are printed at most, so that a line fits. */
#define OBJECT_CHARS 300
#define SYMBOL_CHARS 120

struct entry {
	kmem_trace next; /* of the same bucket; 0: none */
	uint32_t count;
	uintptr_t frames[];
};

#define ENTRY_WORDS(count) (sizeof(struct entry) / sizeof(uintptr_t) + (count))

static struct {
	/* constant after init */
	uintptr_t own_start, own_end; /* this library; empty where it is a part of the program itself */
	uintptr_t unwinder_start, unwinder_end;
	char program[256];            /* the program's file */
	uintptr_t *words;             /* NULL before */
	_Atomic kmem_trace *buckets;

	struct kmem_lock lock; /* guards used, and who may publish */
	size_t used;           /* words */
} table;

/* A walk over a stack. */
struct walk {
	uintptr_t *frames;
	size_t count, count_max;
	size_t steps;
	bool is_trap;  /* begin with what a signal interrupted; else with what is not of this library */
	bool is_begun;
};

static bool is_own(uintptr_t pc)
{
	return pc >= table.own_start && pc < table.own_end;
}

static bool is_object(uintptr_t pc)
{
	struct dl_find_object object;

	return _dl_find_object((void *)pc, &object) == 0;
}

static _Unwind_Reason_Code walk_step(struct _Unwind_Context *context, void *arg)
{
	struct walk *walk = arg;
	int is_exact = 0;
	uintptr_t pc = _Unwind_GetIPInfo(context, &is_exact);

	if (pc == 0 || walk->steps++ == WALK_DEPTH) {
		return _URC_END_OF_STACK;
	}
	/* A return address is that of the next instruction, which may belong to another line or function. */
	pc -= is_exact != 0 ? 0 : 1;
	walk->is_begun = walk->is_begun || (walk->is_trap ? is_exact != 0 : !is_own(pc));
	if (walk->is_begun) {
		walk->frames[walk->count++] = pc;
	}
	return walk->count < walk->count_max && is_object(pc) ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* Where this thread's walk ends if it fails; NULL: it does not walk. */
static __thread jmp_buf *walk_end __attribute__((tls_model("initial-exec")));

static _Noreturn void walk_abandon(void)
{
	longjmp(*walk_end, 1);
}

/* Below the stack pointer, code may keep data of its own. */
#define RED_ZONE 128

/* In the handler of a trap that cannot be served: if it is the unwinder's, have it go on in walk_abandon(), as if called there. */
static bool walk_rescue(void *ucontext)
{
	ucontext_t *context = ucontext;
	greg_t *registers = context->uc_mcontext.gregs;
	uintptr_t pc = (uintptr_t)registers[REG_RIP];

	if (walk_end == NULL || pc < table.unwinder_start || pc >= table.unwinder_end) {
		return false;
	}
	registers[REG_RIP] = (greg_t)(uintptr_t)walk_abandon;
	registers[REG_RSP] = ((registers[REG_RSP] - RED_ZONE) & ~(greg_t)15) - (greg_t)sizeof(uintptr_t);
	return true;
}

static size_t walk_stack(uintptr_t *frames, size_t count_max, bool is_trap)
{
	struct walk walk = {.frames = frames, .count_max = count_max, .is_trap = is_trap};
	jmp_buf *const former = walk_end; /* of a walk that was interrupted by a signal */
	jmp_buf end;

	if (_setjmp(end) == 0) {
		walk_end = &end;
		(void)_Unwind_Backtrace(walk_step, &walk);
	}
	walk_end = former;
	return walk.count;
}

/* Where in memory the object is that holds an address. */
static bool object_range(uintptr_t pc, uintptr_t *start, uintptr_t *end)
{
	struct dl_find_object object;

	/* The program itself is called nothing. */
	if (_dl_find_object((void *)pc, &object) != 0 || object.dlfo_link_map->l_name[0] == '\0') {
		return false;
	}
	*start = (uintptr_t)object.dlfo_map_start;
	*end = (uintptr_t)object.dlfo_map_end;
	return true;
}

int kmem_trace_init(void)
{
	uintptr_t frames[1];
	void *memory;
	ssize_t length;
	int ret;

	(void)object_range((uintptr_t)kmem_trace_init, &table.own_start, &table.own_end);
	(void)object_range((uintptr_t)_Unwind_Backtrace, &table.unwinder_start, &table.unwinder_end);
	kmem_copy_rescue = walk_rescue;
	length = readlink("/proc/self/exe", table.program, sizeof(table.program) - 1);
	table.program[length > 0 ? length : 0] = '\0';
	/* The unwinder's first use. */
	(void)walk_stack(frames, 1, false);
	ret = kmem_host_memory_get(&memory, TABLE_SIZE + BUCKETS * sizeof(*table.buckets));
	if (ret != 0) {
		return ret;
	}
	table.used = 1; /* 0 is no number */
	table.buckets = (void *)((char *)memory + TABLE_SIZE);
	table.words = memory;
	return 0;
}

static struct entry *entry_of(kmem_trace trace)
{
	return (struct entry *)&table.words[trace];
}

static size_t bucket_of(const uintptr_t *frames, size_t count)
{
	uint64_t hash = count;

	for (size_t i = 0; i < count; i++) {
		/* The fractional part of the golden ratio, as Knuth has it. */
		hash = (hash ^ frames[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return hash % BUCKETS;
}

/* The entry with these frames from trace on in its chain; 0 if there is none. */
static kmem_trace chain_find(kmem_trace trace, const uintptr_t *frames, size_t count)
{
	while (trace != 0) {
		const struct entry *entry = entry_of(trace);

		if (entry->count == count && memcmp(entry->frames, frames, count * sizeof(*frames)) == 0) {
			return trace;
		}
		trace = entry->next;
	}
	return 0;
}

/* Add an entry in front of a bucket. Lock held. 0 where the table is full. */
static kmem_trace entry_add(_Atomic kmem_trace *bucket, const uintptr_t *frames, size_t count)
{
	kmem_trace trace = (kmem_trace)table.used;
	struct entry *entry = entry_of(trace);

	if (TABLE_WORDS - table.used < ENTRY_WORDS(count)) {
		return 0;
	}
	table.used += ENTRY_WORDS(count);
	entry->next = atomic_load_explicit(bucket, memory_order_relaxed);
	entry->count = (uint32_t)count;
	memcpy(entry->frames, frames, count * sizeof(*frames));
	atomic_store_explicit(bucket, trace, memory_order_release);
	return trace;
}

static kmem_trace keep(const uintptr_t *frames, size_t count)
{
	_Atomic kmem_trace *bucket = &table.buckets[bucket_of(frames, count)];
	kmem_trace trace = chain_find(atomic_load_explicit(bucket, memory_order_acquire), frames, count);
	kmem_sigmask saved;

	/* Held by this very thread: between the handlers of a fork, where nobody else is. */
	if (trace != 0 || kmem_lock_is_held(&table.lock)) {
		return trace;
	}
	kmem_signals_block(&saved);
	kmem_lock_acquire(&table.lock);
	trace = chain_find(atomic_load_explicit(bucket, memory_order_relaxed), frames, count);
	if (trace == 0) {
		trace = entry_add(bucket, frames, count);
	}
	kmem_lock_release(&table.lock);
	kmem_signals_restore(&saved);
	return trace;
}

kmem_trace kmem_trace_take(void)
{
	uintptr_t frames[KMEM_TRACE_DEPTH];
	size_t count;

	if (table.words == NULL) {
		return 0;
	}
	count = walk_stack(frames, KMEM_TRACE_DEPTH, false);
	return count == 0 ? 0 : keep(frames, count);
}

/* The lock is not counted here: between the handlers, programs touch paged memory. */
void kmem_trace_fork_prepare(void)
{
	kmem_lock_acquire_outer(&table.lock);
}

void kmem_trace_fork_parent(void)
{
	kmem_lock_release_outer(&table.lock);
}

void kmem_trace_fork_child(void)
{
	kmem_lock_adopt(&table.lock);
	kmem_lock_release_outer(&table.lock);
}

/* Exported functions of an object. */
struct symbols {
	const ElfW(Sym) *symbols;
	const char *names;
	size_t count;
};

/* A pointer of the dynamic section; the dynamic linker has moved it already where it could write there. */
static const void *dynamic_pointer(const struct link_map *map, ElfW(Addr) value)
{
	return (const void *)(value < map->l_addr ? value + map->l_addr : value);
}

/* Layout of DT_GNU_HASH: four words, the filter, a first symbol for each bucket, then a word a symbol, odd at the end of a bucket. */
static size_t gnu_hash_count(const uint32_t *hash)
{
	uint32_t buckets_count = hash[0];
	uint32_t first = hash[1];
	const uint32_t *buckets = hash + 4 + hash[2] * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
	const uint32_t *chains = buckets + buckets_count;
	uint32_t last = 0;

	for (uint32_t i = 0; i < buckets_count; i++) {
		last = buckets[i] > last ? buckets[i] : last;
	}
	if (last < first) {
		return first;
	}
	while ((chains[last - first] & 1) == 0) {
		last++;
	}
	return (size_t)last + 1;
}

static bool symbols_find(const struct link_map *map, struct symbols *symbols)
{
	*symbols = (struct symbols){.count = 0};
	if (map->l_ld == NULL) {
		return false;
	}
	for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
		const void *pointer = dynamic_pointer(map, entry->d_un.d_ptr);

		switch (entry->d_tag) {
		case DT_SYMTAB:
			symbols->symbols = pointer;
			break;
		case DT_STRTAB:
			symbols->names = pointer;
			break;
		case DT_HASH:
			symbols->count = ((const uint32_t *)pointer)[1];
			break;
		case DT_GNU_HASH:
			symbols->count = gnu_hash_count(pointer);
			break;
		default:
			break;
		}
	}
	return symbols->symbols != NULL && symbols->names != NULL;
}

/* The exported function around an address; NULL where there is none. */
static const char *function_find(const struct link_map *map, uintptr_t pc, size_t *offset)
{
	uintptr_t addr = pc - map->l_addr;
	struct symbols symbols;

	if (!symbols_find(map, &symbols)) {
		return NULL;
	}
	for (size_t i = 0; i < symbols.count; i++) {
		const ElfW(Sym) *symbol = &symbols.symbols[i];
		unsigned int type = ELF64_ST_TYPE(symbol->st_info);

		if ((type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF && addr >= symbol->st_value &&
		    addr - symbol->st_value < symbol->st_size) {
			*offset = addr - symbol->st_value;
			return symbols.names + symbol->st_name;
		}
	}
	return NULL;
}

static void frame_print(size_t number, uintptr_t pc)
{
	struct dl_find_object object;
	const struct link_map *map;
	const char *function, *file;
	size_t offset = 0;

	if (_dl_find_object((void *)pc, &object) != 0) {
		kmem_print("    #%zu 0x%zx ?\n", number, (size_t)pc);
		return;
	}
	map = object.dlfo_link_map;
	file = map->l_name[0] != '\0' ? map->l_name : table.program;
	function = function_find(map, pc, &offset);
	if (function == NULL) {
		kmem_print("    #%zu 0x%zx ? (%.*s+0x%zx)\n", number, (size_t)pc, OBJECT_CHARS, file, (size_t)(pc - map->l_addr));
		return;
	}
	kmem_print("    #%zu 0x%zx %.*s+0x%zx (%.*s+0x%zx)\n", number, (size_t)pc, SYMBOL_CHARS, function, offset,
		   OBJECT_CHARS, file, (size_t)(pc - map->l_addr));
}

static void frames_print(const uintptr_t *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		frame_print(i, frames[i]);
	}
}

void kmem_trace_print(kmem_trace trace)
{
	if (trace == 0) {
		kmem_print("    no backtrace: the table of %lu MiB was full, or the stack could not be read\n", TABLE_SIZE >> 20);
		return;
	}
	frames_print(entry_of(trace)->frames, entry_of(trace)->count);
}

void kmem_trace_print_here(void)
{
	uintptr_t frames[PRINT_DEPTH];

	frames_print(frames, walk_stack(frames, PRINT_DEPTH, false));
}

void kmem_trace_print_trap(uintptr_t pc)
{
	uintptr_t frames[PRINT_DEPTH];
	size_t count = is_object(pc) ? walk_stack(frames, PRINT_DEPTH, true) : 0;

	/* The handler may have changed where it returns to. */
	frames[0] = pc;
	frames_print(frames, count > 0 ? count : 1);
}

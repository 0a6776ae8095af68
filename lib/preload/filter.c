/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter of system calls, in the host kernel's classic BPF, made of the table in call.c.
 *
 * Its shape, front to back:
 *
 *   entry    other architectures, and the x32 numbers, which no program here uses: allowed
 *   tree     a binary search for the number among *runs*, neighbouring numbers that are treated alike
 *   blocks   one for each *kind* of call, which is the set of registers to look at: tests, and "allow" behind them; where a register tells
 *            what the others are, and it matters (call.h), a block for each set and a choice in front
 *   ends     trap, refuse: unless the call comes from the stub
 *
 * The tree looks at nothing but the number, so the host kernel finds out by itself that calls without pointers are always allowed, and
 * runs no filter for them at all. Calls of one kind share a block. A register trips the block if it points into the window, or, where
 * something behind the pointer may lie there, if it carries the mark. Registers that the call does not use are not looked at: whatever is
 * in them is no pointer. (Calls that mean different things may be trapped for such a register; the handler makes them as they are.)
 * Every successor of the process inherits the filter, with this library or without, static or set-user-id, so nothing may be trapped but
 * what only this library hands out: addresses in the window, and marked ones.
 *
 * io_uring_setup(), io_setup() and userfaultfd() are refused, with the error of a kernel that does not have them, to successors,
 * too. Through rings the kernel is given pointers that no filter sees, and it reads and writes memory when nobody is there to make it
 * present; a userfaultfd of a program's would not see faults that are ours. Programs are used to kernels and containers without these calls
 * and have another way. Wrapping them in the C library would spare the successors, but the libraries that use them make system calls by
 * instructions of their own.
 *
 * Not reentrant; used once, in start.
 */
#include "preload/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>

#include "host/assert.h"
#include "host/uffd.h"
#include "preload/call.h"

/* The x32 ABI's numbers begin here. */
#define X32_FIRST 0x40000000U

/* Distinct kinds of call that can be told apart; the table has about forty. */
#define KINDS_MAX 128

/* The farthest that a conditional jump reaches. */
#define JUMP_MAX 255U

#define HIGH(address) ((uint32_t)((address) >> 32))
#define WINDOW_HIGH HIGH(KMEM_WINDOW_BASE)
#define WINDOW_HIGH_END HIGH(KMEM_WINDOW_BASE + KMEM_WINDOW_SIZE)
#define MARK_HIGH HIGH(KMEM_MARK)
#define MARK_HIGH_MASK HIGH(KMEM_MARK_MASK)

_Static_assert((uint32_t)KMEM_WINDOW_BASE == 0 && (uint32_t)KMEM_WINDOW_SIZE == 0,
	       "the upper half of an address tells");
_Static_assert(((uint64_t)KMEM_HOST_UFFD_PASS & KMEM_MARK_MASK) == KMEM_MARK, "the library's own userfaultfd() bears the mark");
_Static_assert(HIGH(KMEM_STUB_ADDR) == HIGH(KMEM_STUB_ADDR + KMEM_STUB_SIZE - 1), "the stub has one upper half");
_Static_assert(((KMEM_STUB_SIZE - 1) & (KMEM_STUB_SIZE | KMEM_STUB_ADDR)) == 0, "a mask finds the stub");

/* What is done with a call. All zero: allowed. */
struct kind {
	uint8_t pointers; /* a bit for each argument to look at */
	uint8_t deep;     /* of these, those that may be marked */
	uint8_t pass_arg; /* as in the table */
	bool is_refused;
	const struct kmem_call *chooser; /* whose selector chooses among the pointers; NULL: all of them, always */
};

/* Numbers from start, up to the next run's, are of one kind. */
struct run {
	uint16_t start;
	uint8_t kind;
};

/* Kind 0 is "allowed". */
static struct kind kinds[KINDS_MAX];
static uint32_t kind_places[KINDS_MAX];
static size_t kinds_count;

static struct run runs[KMEM_CALL_NR_END + 1];
static size_t runs_count;

/* Where instructions go. Those behind max are counted only. */
struct output {
	struct sock_filter *instructions;
	size_t max;
	size_t count;
};

static void emit(struct output *out, uint16_t code, uint32_t k, size_t if_true, size_t if_false)
{
	if (out->count < out->max) {
		out->instructions[out->count] = (struct sock_filter)BPF_JUMP(code, k, (uint8_t)if_true,
									     (uint8_t)if_false);
	}
	out->count++;
}

static void emit_load(struct output *out, size_t offset)
{
	emit(out, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void emit_return(struct output *out, uint32_t action)
{
	emit(out, BPF_RET | BPF_K, action, 0, 0);
}

/* To a place behind this one. */
static void emit_goto(struct output *out, size_t place)
{
	emit(out, BPF_JMP | BPF_JA, (uint32_t)(place - out->count - 1), 0, 0);
}

static size_t arg_high(unsigned int arg)
{
	return offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t) + sizeof(uint32_t);
}

static struct kind kind_of(const struct kmem_call *call)
{
	struct kind kind = {0};

	if (call == NULL) {
		return kind;
	}
	kind.is_refused = call->is_refused;
	kind.pass_arg = call->is_refused ? call->pass_arg : 0;
	kind.chooser = call->selector_bits != 0 ? call : NULL;
	for (unsigned int arg = 0; arg < KMEM_CALL_ARGS && !call->is_refused; arg++) {
		if (kmem_call_arg_is_pointer(call, arg)) {
			kind.pointers |= (uint8_t)(1U << arg);
			kind.pass_arg = call->pass_arg;
		}
		if (kmem_call_arg_is_deep(call, arg)) {
			kind.deep |= (uint8_t)(1U << arg);
		}
	}
	return kind;
}

static bool kind_is_equal(const struct kind *a, const struct kind *b)
{
	return a->pointers == b->pointers && a->deep == b->deep && a->pass_arg == b->pass_arg &&
	       a->is_refused == b->is_refused && a->chooser == b->chooser;
}

/* The place of a kind among the kinds, a new one if it must be; KINDS_MAX if there is no room. */
static size_t kind_find(const struct kind *kind)
{
	size_t i;

	for (i = 0; i < kinds_count; i++) {
		if (kind_is_equal(&kinds[i], kind)) {
			return i;
		}
	}
	if (i < KINDS_MAX) {
		kinds[i] = *kind;
		kinds_count++;
	}
	return i;
}

/* False if there are too many kinds. */
static bool runs_find(void)
{
	kinds_count = 1;
	kinds[0] = (struct kind){0};
	runs_count = 0;
	for (uint16_t nr = 0; nr < KMEM_CALL_NR_END; nr++) {
		struct kind kind = kind_of(kmem_call_find(nr));
		size_t place = kind_find(&kind);

		if (place == KINDS_MAX) {
			return false;
		}
		if (nr == 0 || runs[runs_count - 1].kind != place) {
			runs[runs_count++] = (struct run){.start = nr, .kind = (uint8_t)place};
		}
	}
	/* Numbers that are not known yet. */
	if (runs[runs_count - 1].kind != 0) {
		runs[runs_count++] = (struct run){.start = KMEM_CALL_NR_END, .kind = 0};
	}
	return true;
}

/* Instructions of the tree over runs [first, end). */
static size_t tree_size(size_t first, size_t end)
{
	size_t middle = first + (end - first) / 2;
	size_t left;

	if (end - first == 1) {
		return 1;
	}
	left = tree_size(first, middle);
	return (left <= JUMP_MAX ? 1 : 2) + left + tree_size(middle, end);
}

static void tree_emit(struct output *out, size_t first, size_t end)
{
	size_t middle = first + (end - first) / 2;
	size_t left;

	if (end - first == 1) {
		if (runs[first].kind == 0) {
			emit_return(out, SECCOMP_RET_ALLOW);
		} else {
			emit_goto(out, kind_places[runs[first].kind]);
		}
		return;
	}
	left = tree_size(first, middle);
	if (left <= JUMP_MAX) {
		emit(out, BPF_JMP | BPF_JGE | BPF_K, runs[middle].start, left, 0);
	} else {
		emit(out, BPF_JMP | BPF_JGE | BPF_K, runs[middle].start, 0, 1);
		emit_goto(out, out->count + 1 + left);
	}
	tree_emit(out, first, middle);
	tree_emit(out, middle, end);
}

/* Instructions of the test of one argument, without those that a mark needs. */
#define TEST_SIZE 3U
#define TEST_SIZE_DEEP 2U
#define PASS_SIZE 3U

/* Instructions from the test of an argument to the block's last, the jump to where calls are trapped. */
static size_t tests_size(const struct kind *kind, unsigned int first)
{
	size_t size = 1;

	for (unsigned int arg = first; arg < KMEM_CALL_ARGS; arg++) {
		size += (kind->pointers >> arg & 1U) != 0 ? TEST_SIZE : 0;
		size += (kind->deep >> arg & 1U) != 0 ? TEST_SIZE_DEEP : 0;
	}
	return size;
}

/* The kind of a call with a chooser whose selector has this value. */
static struct kind kind_chosen(const struct kind *kind, uint32_t value)
{
	uint64_t regs[KMEM_CALL_ARGS] = {0};
	struct kmem_call_arg args[KMEM_CALL_ARGS];
	struct kind chosen = *kind;

	regs[kind->chooser->selector - 1] = value;
	kmem_call_args_get(kind->chooser, regs, args);
	chosen.chooser = NULL;
	for (unsigned int arg = 0; arg < KMEM_CALL_ARGS; arg++) {
		if (args[arg].shape == KMEM_SHAPE_VALUE) {
			chosen.pointers &= (uint8_t) ~(1U << arg);
			chosen.deep &= (uint8_t) ~(1U << arg);
		}
	}
	return chosen;
}

/* The different kinds that a selector can choose, the first for the highest value, which stands for all that mean nothing. */
#define CHOICES_MAX 8

struct choices {
	struct kind kinds[CHOICES_MAX];
	size_t count;
	size_t tests; /* values that choose another than the first */
};

static size_t choice_find(const struct choices *choices, const struct kind *kind)
{
	size_t i = 0;

	while (i < choices->count && !kind_is_equal(&choices->kinds[i], kind)) {
		i++;
	}
	return i;
}

static void choices_find(struct choices *choices, const struct kind *kind)
{
	choices->count = 0;
	choices->tests = 0;
	for (uint32_t value = 1U << kind->chooser->selector_bits; value-- > 0;) {
		struct kind chosen = kind_chosen(kind, value);
		size_t choice = choice_find(choices, &chosen);

		kmem_assert(choice < CHOICES_MAX);
		if (choice == choices->count) {
			choices->kinds[choices->count++] = chosen;
		}
		choices->tests += choice != 0 ? 1 : 0;
	}
}

static size_t plain_size(const struct kind *kind)
{
	return (kind->pass_arg != 0 ? PASS_SIZE : 0) + tests_size(kind, 0) + 1;
}

/* Instructions of a choice in front of its tests of values. */
#define CHOICE_SIZE 2U

static size_t block_size(const struct kind *kind)
{
	struct choices choices;
	size_t size;

	if (kind->is_refused) {
		return kind->pass_arg != 0 ? PASS_SIZE + 2 : 1;
	}
	if (kind->chooser == NULL) {
		return plain_size(kind);
	}
	choices_find(&choices, kind);
	size = CHOICE_SIZE + choices.tests;
	for (size_t i = 0; i < choices.count; i++) {
		size += plain_size(&choices.kinds[i]);
	}
	return size;
}

/* Addresses above the window and below it are let on to the next argument, which begins behind this test. */
static void test_emit(struct output *out, const struct kind *kind, unsigned int arg)
{
	bool is_deep = (kind->deep >> arg & 1U) != 0;
	size_t end = out->count + tests_size(kind, arg); /* the jump to the trap */

	emit_load(out, arg_high(arg));
	emit(out, BPF_JMP | BPF_JGE | BPF_K, WINDOW_HIGH_END, 1, 0);
	emit(out, BPF_JMP | BPF_JGE | BPF_K, WINDOW_HIGH, end - out->count - 1, is_deep ? TEST_SIZE_DEEP : 0);
	if (is_deep) {
		emit(out, BPF_ALU | BPF_AND | BPF_K, MARK_HIGH_MASK, 0, 0);
		emit(out, BPF_JMP | BPF_JEQ | BPF_K, MARK_HIGH, end - out->count - 1, 0);
	}
}

/* The pass argument, if the kind has one: its mark lets the call through, by a jump of so many instructions. */
static void pass_emit(struct output *out, const struct kind *kind, size_t if_marked, size_t if_not)
{
	if (kind->pass_arg == 0) {
		return;
	}
	emit_load(out, arg_high(kind->pass_arg - 1U));
	emit(out, BPF_ALU | BPF_AND | BPF_K, MARK_HIGH_MASK, 0, 0);
	emit(out, BPF_JMP | BPF_JEQ | BPF_K, MARK_HIGH, if_marked, if_not);
}

static void plain_emit(struct output *out, const struct kind *kind, size_t trap)
{
	/* To the "allow" behind the tests, one in front of the jump to the trap. */
	pass_emit(out, kind, tests_size(kind, 0) - 1, 0);
	for (unsigned int arg = 0; arg < KMEM_CALL_ARGS; arg++) {
		if ((kind->pointers >> arg & 1U) != 0) {
			test_emit(out, kind, arg);
		}
	}
	emit_return(out, SECCOMP_RET_ALLOW);
	emit_goto(out, trap);
}

/* Values one by one, then the blocks: the first one is what comes next where no value is met. */
static void choice_emit(struct output *out, const struct kind *kind, size_t trap)
{
	uint32_t values = 1U << kind->chooser->selector_bits;
	size_t places[CHOICES_MAX];
	struct choices choices;
	size_t place;

	choices_find(&choices, kind);
	place = out->count + CHOICE_SIZE + choices.tests;
	for (size_t i = 0; i < choices.count; i++) {
		places[i] = place;
		place += plain_size(&choices.kinds[i]);
	}
	kmem_assert(place - out->count <= JUMP_MAX);
	emit_load(out, arg_high(kind->chooser->selector - 1U) - sizeof(uint32_t));
	emit(out, BPF_ALU | BPF_AND | BPF_K, values - 1, 0, 0);
	for (uint32_t value = values; value-- > 0;) {
		struct kind chosen = kind_chosen(kind, value);
		size_t choice = choice_find(&choices, &chosen);

		if (choice != 0) {
			emit(out, BPF_JMP | BPF_JEQ | BPF_K, value, places[choice] - out->count - 1, 0);
		}
	}
	for (size_t i = 0; i < choices.count; i++) {
		plain_emit(out, &choices.kinds[i], trap);
	}
}

static void refused_emit(struct output *out, const struct kind *kind, size_t refuse)
{
	if (kind->pass_arg != 0) {
		pass_emit(out, kind, 0, 1);
		emit_return(out, SECCOMP_RET_ALLOW);
	}
	emit_goto(out, refuse);
}

static void block_emit(struct output *out, const struct kind *kind, size_t trap, size_t refuse)
{
	if (kind->is_refused) {
		refused_emit(out, kind, refuse);
	} else if (kind->chooser != NULL) {
		choice_emit(out, kind, trap);
	} else {
		plain_emit(out, kind, trap);
	}
}

/* Instructions of an end. */
#define END_SIZE 7U

/* An action on calls that do not come from the stub. */
static void end_emit(struct output *out, uint32_t action)
{
	size_t pointer = offsetof(struct seccomp_data, instruction_pointer);

	emit_load(out, pointer + sizeof(uint32_t));
	emit(out, BPF_JMP | BPF_JEQ | BPF_K, HIGH(KMEM_STUB_ADDR), 0, 4);
	emit_load(out, pointer);
	emit(out, BPF_ALU | BPF_AND | BPF_K, (uint32_t) ~(KMEM_STUB_SIZE - 1), 0, 0);
	emit(out, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)KMEM_STUB_ADDR, 0, 1);
	emit_return(out, SECCOMP_RET_ALLOW);
	emit_return(out, action);
}

static void entry_emit(struct output *out)
{
	emit_load(out, offsetof(struct seccomp_data, arch));
	emit(out, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	emit_return(out, SECCOMP_RET_ALLOW);
	emit_load(out, offsetof(struct seccomp_data, nr));
	emit(out, BPF_JMP | BPF_JGE | BPF_K, X32_FIRST, 0, 1);
	emit_return(out, SECCOMP_RET_ALLOW);
}

size_t kmem_filter_make(struct sock_filter *instructions, size_t max)
{
	struct output out = {.instructions = instructions, .max = max};
	size_t place;

	if (!runs_find()) {
		return 0;
	}
	entry_emit(&out);
	place = out.count + tree_size(0, runs_count);
	for (size_t kind = 1; kind < kinds_count; kind++) {
		kind_places[kind] = (uint32_t)place;
		place += block_size(&kinds[kind]);
	}
	tree_emit(&out, 0, runs_count);
	for (size_t kind = 1; kind < kinds_count; kind++) {
		block_emit(&out, &kinds[kind], place, place + END_SIZE);
	}
	end_emit(&out, SECCOMP_RET_TRAP | KMEM_FILTER_DATA);
	end_emit(&out, SECCOMP_RET_ERRNO | ENOSYS);
	return out.count <= max ? out.count : 0;
}

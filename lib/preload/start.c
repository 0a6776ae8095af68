/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start: the VM is made by whoever comes first, the library's constructor or an allocation before it.
 *
 * The dynamic linker allocates before any constructor runs, when the C library does not have its environment yet; and what start calls,
 * atexit() or dlsym(), may allocate itself. Both get memory of the resident heap (heap_resident.c), as long as kmem_preload_ready() says
 * no.
 * Threads that come while another one starts the library wait for it.
 *
 * Nothing is half set up: settings are read, the program is looked at, the VM is booted, the handlers take effect, and last the
 * filter. Where one of these fails, a message says what and what to do, and the process ends with status 125 before main().
 *
 * fork: the kernel's handlers are registered first, then those of the resident heap, then those of the allocator. So, when a process
 * forks, the allocator's locks are taken first and the kernel's last, and in the child the VM is there before the allocator
 * looks at it.
 */
#include "preload/filter.h"
#include "preload/preload.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "host/annotate.h"
#include "host/env.h"
#include "host/limit.h"
#include "host/log.h"
#include "host/memory.h"
#include "host/process.h"
#include "host/thread.h"
#include "kernel/fork.h"
#include "kernel/kernel.h"
#include "kernel/record.h"
#include "preload/guard.h"
#include "preload/heap.h"
#include "preload/heap_resident.h"

/* Nothing smaller than this is tried where the host refuses a range. */
#define VM_SIZE_MIN (1UL << 30)

/* As env(1) and its kin have it: the program was not started. */
#define STATUS_NOT_STARTED 125

enum {
	STATE_NONE,
	STATE_STARTING,
	STATE_READY,
};

_Atomic bool kmem_preload_is_ready;
struct kmem_preload_range kmem_preload_linker, kmem_preload_rcu, kmem_preload_self;
size_t kmem_preload_reserved;

static _Atomic int state;
static _Atomic uint32_t starter; /* id of the thread that starts the library */

static char error[512];

static _Noreturn void refuse(const char *what)
{
	if (what != NULL) {
		kmem_log(KMEM_LOG_ERROR, "%s", what);
	}
	kmem_log(KMEM_LOG_ERROR, "the program is not started");
	kmem_process_exit(STATUS_NOT_STARTED);
}

/* Which object an address lies in: its extent in memory. */
struct object_search {
	uintptr_t addr;
	struct kmem_preload_range *range;
};

static int object_visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	const struct object_search *search = arg;
	uintptr_t start = UINTPTR_MAX;
	uintptr_t end = 0;

	(void)size;
	for (unsigned int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD) {
			uintptr_t first = info->dlpi_addr + segment->p_vaddr;

			start = first < start ? first : start;
			end = first + segment->p_memsz > end ? first + segment->p_memsz : end;
		}
	}
	if (search->addr < start || search->addr >= end) {
		return 0;
	}
	search->range->start = start;
	search->range->size = end - start;
	return 1;
}

static void object_find(uintptr_t addr, struct kmem_preload_range *range)
{
	struct object_search search = {.addr = addr, .range = range};

	(void)dl_iterate_phdr(object_visit, &search);
}

extern void *__tls_get_addr(void *index);
extern void urcu_bp_register(void);

/* Whose calls are told apart by where they come from. */
static void objects_find(void)
{
	object_find((uintptr_t)__tls_get_addr, &kmem_preload_linker);
	object_find((uintptr_t)urcu_bp_register, &kmem_preload_rcu);
	object_find((uintptr_t)objects_find, &kmem_preload_self);
}

/* A program that knows libkmem has a VM of its own. */
static void program_check(void)
{
	struct kmem_record record;
	const char *file;

	if (kmem_record_find(&record, &file, error, sizeof(error)) != 0 || dlsym(RTLD_DEFAULT, "kmem_boot") != NULL) {
		refuse("this program uses libkmem itself: run it without kmem-run, and without libkmem-preload.so in LD_PRELOAD");
	}
}

/* Valgrind has a heap, handlers and a system call filter of its own in the way of ours. It passes LD_PRELOAD on to what it runs. */
static void surroundings_check(void)
{
	if (kmem_annotate_on_valgrind()) {
		refuse("Valgrind replaces the heap and the signals that the library needs: run Valgrind without kmem-run, and without "
		       "libkmem-preload.so in LD_PRELOAD");
	}
}

/*
 * Address space that a VM takes beside its own: a page of 4 KiB has an entry of 8 bytes in the page table and up to 24 in the tables of a
 * store, and a store that is not a file has room for every page.
 */
static size_t size_beside(size_t size)
{
	const char *store = kmem_env_get("KMEM_STORE");
	bool is_file = store != NULL && strncmp(store, "file", strlen("file")) == 0;

	return size / 4096 * 32 + (is_file ? 0 : size);
}

/* Whether the host gives a range at an address, and what it takes beside. */
static int range_try(uintptr_t base, size_t size)
{
	void *memory;
	int ret = kmem_host_range_reserve(base, size);

	if (ret != 0) {
		return ret;
	}
	ret = kmem_host_memory_get(&memory, size_beside(size));
	if (ret == 0) {
		kmem_host_memory_free(memory, size_beside(size));
	}
	(void)kmem_host_range_release(base, size);
	return ret;
}

/* Half of what a process may have by a limit is left to the program. */
static size_t limit_half(int resource)
{
	struct rlimit limit;

	if (syscall(SYS_prlimit64, 0, resource, NULL, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
		return SIZE_MAX;
	}
	return limit.rlim_cur / 2;
}

/* The size of the VM: the default one, or what the host gives. An explicit one stands, and is refused later if it cannot be had. */
static size_t vm_size_choose(uintptr_t base, size_t ram)
{
	size_t least = ram > VM_SIZE_MIN / 4 ? ram * 4 : VM_SIZE_MIN;
	size_t most = KMEM_WINDOW_BASE + KMEM_WINDOW_SIZE - base;
	size_t size = KMEM_VM_SIZE_DEFAULT < most ? KMEM_VM_SIZE_DEFAULT : most;
	size_t half_space = limit_half(RLIMIT_AS);
	size_t half_data = limit_half(RLIMIT_DATA);
	int ret = -ENOMEM;

	while ((size + size_beside(size) > half_space || size_beside(size) > half_data) && size / 2 >= least) {
		size /= 2;
	}
	for (;; size /= 2) {
		ret = range_try(base, size);
		if (ret == 0 || ret == -EEXIST || size / 2 < least) {
			break;
		}
	}
	if (ret != 0 && ret != -EEXIST) {
		(void)kmem_format(error, sizeof(error),
				  "a VM of %zu bytes cannot be reserved (%s): raise the limits on address space and data (ulimit -v, -d), "
				  "allow overcommit (vm.overcommit_memory), or set KMEM_VM_SIZE",
				  size, kmem_error_name(-ret));
		refuse(error);
	}
	if (size != KMEM_VM_SIZE_DEFAULT) {
		kmem_log(KMEM_LOG_INFO, "VM of %zu bytes in place of %zu, which this process's limits do not allow", size,
			 KMEM_VM_SIZE_DEFAULT);
	}
	return size;
}

/* What the environment says of a size, or 0; what is wrong is told when the kernel reads it. */
static size_t env_size(const char *name)
{
	const char *value = kmem_env_get(name);
	size_t size;

	return value != NULL && kmem_size_parse(value, &size) == 0 ? size : 0;
}

/* What to do about a limit that has the boot fail, if it is one. */
static const char *advice(int ret)
{
	switch (-ret) {
	case EFBIG:
		return "RAM and store are files, larger than the hard limit on those: raise it (ulimit -f)";
	case EMFILE:
		return "RAM and store are files, more than the hard limit on open ones allows: raise it (ulimit -n)";
	default:
		return NULL;
	}
}

static void vm_boot(void)
{
	size_t base = env_size("KMEM_VM_BASE");
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.vm_base = KMEM_WINDOW_BASE,
		.vm_size = KMEM_VM_SIZE_DEFAULT,
		.readahead = KMEM_READAHEAD_DEFAULT,
		.assertions = KMEM_SWITCH_OFF,
		.stats = KMEM_SWITCH_ON,
		.timing = KMEM_SWITCH_ON,
	};
	int ret;

	if (env_size("KMEM_VM_SIZE") == 0) {
		config.vm_size = vm_size_choose(base != 0 ? base : KMEM_WINDOW_BASE, env_size("KMEM_RAM"));
	}
	ret = kmem_boot(&config);
	if (ret != 0) {
		/* It has said why. */
		refuse(advice(ret));
	}
	kmem_preload_reserved = kmem_kernel.settings.vm_size + size_beside(kmem_kernel.settings.vm_size);
}

static void calls_init(void)
{
	int ret = kmem_call_trap_init();

	if (ret != 0) {
		(void)kmem_format(error, sizeof(error), "SIGSYS cannot be handled: %s", kmem_error_name(-ret));
		refuse(error);
	}
	/* Without a filter of its own it may have inherited one, and then the handler needs the stub as well. */
	ret = kmem_preload_options.are_calls_trapped ? kmem_filter_install(error, sizeof(error)) : kmem_stub_map(error, sizeof(error));
	if (ret != 0) {
		refuse(error);
	}
}

static void start(void)
{
	kmem_kernel.is_preloaded = true;
	kmem_thread_altstack_own(KMEM_ALTSTACK_SIZE);
	kmem_host_limit_lift_allow();
	if (kmem_preload_options_read(error, sizeof(error)) != 0) {
		refuse(error);
	}
	surroundings_check();
	objects_find();
	program_check();
	kmem_fork_init();
	kmem_heap_resident_fork_init();
	vm_boot();
	if (kmem_heap_init() != 0) {
		refuse("the VM has no room for a heap: raise KMEM_VM_SIZE");
	}
	if (kmem_guard_init(error, sizeof(error)) != 0) {
		refuse(error);
	}
	calls_init();
}

/* Start the library, or wait for it; no at once in the thread that starts it. */
static bool start_once(void)
{
	int expected = STATE_NONE;
	int saved = errno; /* 0 when main() begins, whatever start has tried */

	if (atomic_compare_exchange_strong(&state, &expected, STATE_STARTING)) {
		atomic_store(&starter, kmem_thread_id());
		start();
		errno = saved;
		atomic_store(&state, STATE_READY);
		atomic_store_explicit(&kmem_preload_is_ready, true, memory_order_release);
		return true;
	}
	while (atomic_load(&state) != STATE_READY) {
		if (atomic_load(&starter) == kmem_thread_id()) {
			return false;
		}
		kmem_thread_yield();
	}
	return true;
}

bool kmem_preload_ready(void)
{
	if (atomic_load_explicit(&kmem_preload_is_ready, memory_order_acquire)) {
		return true;
	}
	return environ != NULL && start_once();
}

/* At the latest before the program's own constructors, and before those that boot by a record. */
__attribute__((constructor(101))) static void start_early(void)
{
	(void)start_once();
	/*
	 * The failed search for kmem_boot() has left a message behind that would be the program's to find. Not earlier: dlerror() translates
	 * it under the locks of gettext, and the C library may hold these in the allocation that starts the library.
	 */
	(void)dlerror();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libkmem: a small emulated computer, with RAM, an MMU and Zephyr's memory manager, inside a Linux process.
 *
 * Boot it, map memory, touch it: pages come and go between emulated RAM and a backing store, guard pages catch
 * overruns, and every bad access is explained. The mapping functions themselves, k_mem_map() and its kin, are in
 * <kmem/mm.h>, which this header includes; policies and stores of one's own are described in <kmem/eviction.h> and
 * <kmem/backing_store.h>.
 *
 * Order of configuration: environment (KMEM_*), struct kmem_config, the record of CONFIG_* values that the Zephyr
 * headers leave in a program, defaults.
 *
 * Caveats
 *
 * - SIGSEGV and SIGBUS belong to libkmem while it is booted. sigaction(), signal(), sigprocmask() and
 *   pthread_sigmask() are wrapped: a program's own handlers and masks for these two are remembered, reported back and
 *   honoured for faults that are not libkmem's, but the signals themselves are never blocked. A raw rt_sigaction or
 *   rt_sigprocmask system call is not seen.
 * - The host kernel does not fault pages in on a program's behalf: a system call that is given the address of a page
 *   that is absent, or not yet writable, fails with EFAULT or a short count. k_mem_pin() buffers before handing them
 *   to system calls. Pinned pages never trap.
 * - fork() copies RAM and stores for the child, at the cost of the used part of them. If that cannot be done the child
 *   may not touch the VM: its first access is a fatal error that says so, as it always is in a child of _Fork(). A raw clone
 *   system call, and _Fork() in a static program, are not seen: RAM is shared with such a child, which must not touch the VM.
 * - Handlers of memory traps run on an alternate signal stack where the thread has one. Threads made by
 *   pthread_create() get one; others need one only if their own stack is paged memory (kmem_thread_attach()). A
 *   program's own alternate stack must be resident and at least sysconf(_SC_SIGSTKSZ) bytes.
 * - Policies, stores and the handlers of other signals must not touch paged memory while libkmem runs under them.
 */
#ifndef KMEM_KMEM_H
#define KMEM_KMEM_H

#include <sys/types.h>

#include <kmem/backing_store.h>
#include <kmem/eviction.h>
#include <kmem/mm.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* A boolean whose default depends on where the configuration comes from. */
enum kmem_switch {
	KMEM_SWITCH_DEFAULT = 0,
	KMEM_SWITCH_ON = 1,
	KMEM_SWITCH_OFF = 2,
};

/* One section of the boot image, placed after the one before it. */
struct kmem_section {
	const char *name;  /* for reports: ".text" */
	size_t size;       /* bytes, rounded up to pages; not 0 */
	uint32_t flags;    /* K_MEM_PERM_*: text is EXEC, rodata 0, data, bss and noinit RW */
	const void *bytes; /* initial content, or NULL for zeros */
	size_t bytes_size; /* bytes of content, at most size; the rest is zero */
};

/* A range of physical addresses outside RAM, emulated by memory. */
struct kmem_device {
	const char *name; /* for reports */
	uintptr_t phys;   /* page-aligned, not in RAM, below 2^48 */
	size_t size;      /* bytes, a multiple of the page size */
};

/*
 * What to boot. Zeroed members mean the default that stands behind them; where the program carries a record of
 * CONFIG_* values, that record is the default instead.
 */
struct kmem_config {
	size_t struct_size; /* sizeof(struct kmem_config) */

	/* The memory map. */
	uintptr_t vm_base; /* first virtual address; 0x400000000 (0x200000000000 under AddressSanitizer) */
	size_t vm_size;    /* bytes; 8 GiB */
	size_t vm_offset;  /* bytes from vm_base to the boot image; 0 */
	uintptr_t ram_base; /* first physical address; vm_base */
	size_t ram_size;   /* bytes; 64 MiB */
	size_t ram_offset; /* bytes from ram_base to the boot image; 0 */
	size_t page_size;  /* bytes, a multiple of the host's page size; 4 KiB or the host's, whichever is larger */
	size_t frames_reserve; /* frames that k_mem_free_get() does not report; 0 */

	enum kmem_switch maps_all_ram;   /* all of RAM mapped at boot, the free range begins after it; off */
	enum kmem_switch direct_map;     /* K_MEM_DIRECT_MAP is allowed; on */
	enum kmem_switch demand_paging;  /* pages go out and come in; on */
	enum kmem_switch demand_mapping; /* k_mem_map() gives frames at first touch; on */
	enum kmem_switch assertions;     /* caller bugs end in a kernel panic; on */
	enum kmem_switch stats;          /* faults and evictions are counted; on */
	enum kmem_switch timing;         /* histograms and time spent paging, with stats; on */

	/* The boot image, mapped and pinned at vm_base + vm_offset; none. Read during kmem_boot() only. */
	const struct kmem_section *sections;
	size_t section_count;

	/* Emulated device memory; none. Read during kmem_boot() only. */
	const struct kmem_device *devices;
	size_t device_count;

	const char *engine; /* "auto", "guard", "mmap" or "uffd": how pages are made to trap; auto, the best that the host offers */
	const char *policy; /* "clock", "lru" or "nru"; clock */
	const char *store;  /* "ram", "ram:PAGES", "file" or "file:PATH", a directory or a new file; ram, as many pages as the VM range */

	const struct kmem_eviction_ops *policy_ops; /* a policy of the program's own, in place of a named one */
	void *policy_arg;
	const struct kmem_store_ops *store_ops; /* a store of the program's own, in place of a named one */
	void *store_arg;
	size_t store_pages; /* locations of the store at most; the VM range, or what `store` says */

	unsigned int nru_period_ms; /* tick of NRU, in milliseconds; 100 */
	/*
	 * Report at shutdown, at exit and before a fatal error ends the process: a path (JSON if it ends in .json, %p is the process's id),
	 * "fd:N" for a descriptor, "-" for standard error; none. Environment: KMEM_STATS; KMEM_STATS_FORMAT=json or text,
	 * KMEM_STATS_THREADS=1, KMEM_STATS_SIGNAL=USR2 and KMEM_STATS_INTERVAL=SECONDS say what is in it, and when there are more, which
	 * are appended.
	 */
	const char *stats_path;

	size_t readahead;      /* pages that one trap brings in at most, 32 or fewer; 0: the one that was touched */
	size_t cleaner_frames; /* frames kept free in the background, at most half of RAM; 0: none */
};

/**
 * Boot: reserve the VM range, set up RAM, image, policy and store, take SIGSEGV and SIGBUS. Our own.
 *
 * @param config  NULL for all defaults; not kept
 * @return 0; -EALREADY if booted; -EINVAL, -ENOTSUP for a value that is wrong, contradicts another or cannot be had here;
 *         -EADDRINUSE if the VM range is taken; -ENOMEM; what a policy or store returned. Nothing is left behind then, and
 *         kmem_boot_error() says what it was, and so does a line on standard error.
 * Context: one thread, no lock, no signal handler.
 */
int kmem_boot(const struct kmem_config *config);

/** Why the last kmem_boot() failed: one line, or "" if it did not. Valid until the next kmem_boot(). */
const char *kmem_boot_error(void);

/**
 * Return the process to what it was before kmem_boot(): mappings, descriptors, signal dispositions. Our own.
 *
 * All paged memory is gone afterwards; no other thread may use it, or be inside a function of this library.
 * @return 0, or -ENODEV if not booted
 */
int kmem_shutdown(void);

/** Whether the machine is running. Context: anywhere. */
bool kmem_is_booted(void);

/* The memory map, as Zephyr's <mmu.h> names its lines. Ends are exclusive. */
struct kmem_layout {
	uintptr_t phys_ram_start;
	uintptr_t phys_ram_end;
	uintptr_t virt_ram_start;
	uintptr_t virt_ram_end;
	uintptr_t kernel_virt_start; /* the boot image */
	uintptr_t kernel_virt_end;
	uintptr_t vm_free_start; /* mappings grow down towards here */
	uintptr_t vm_reserved;   /* bytes kept at the top: the scratch page, with demand paging */
	uintptr_t virt_offset;   /* K_MEM_VIRT_OFFSET: boot virtual address - physical address */
	size_t page_size;
};

/** The memory map in force. 0, or -ENODEV. Context: anywhere. */
int kmem_layout_get(struct kmem_layout *layout);

/**
 * Physical address of a boot mapping: K_MEM_PHYS_ADDR() with the layout in force, with its assertion that @p virt lies
 * in the VM range. Integer arithmetic; wrong, without complaint, for what k_mem_map() returned. (Zephyr: kernel/internal/mm.h)
 */
uintptr_t kmem_phys_addr(const void *virt);

/** The reverse, asserting that @p phys lies in RAM. (Zephyr: kernel/internal/mm.h) */
void *kmem_virt_addr(uintptr_t phys);

/**
 * Emulated device memory at a physical range, to be mapped by k_mem_map_phys_*(). Our own.
 *
 * @param phys, size  page-aligned, clear of RAM and of other devices, below 2^48
 * @param host        NULL, or receives where the emulation itself reads and writes the device's bytes
 * @return 0; -EINVAL, -EEXIST for overlap, -ENOSPC for more than KMEM_DEVICES_MAX devices, -ENOMEM, -ENODEV
 */
int kmem_device_add(const char *name, uintptr_t phys, size_t size, void **host);

#define KMEM_DEVICES_MAX 32

/* What runs, and why. Strings live until kmem_shutdown(). */
struct kmem_setup {
	const char *engine;
	const char *engine_reason; /* why this one */
	const char *policy;
	const char *store;
};

/** Which engine, policy and store run. 0, or -ENODEV. Context: anywhere. */
int kmem_setup_get(struct kmem_setup *setup);

enum kmem_region_kind {
	KMEM_REGION_ANON,    /* k_mem_map() */
	KMEM_REGION_PHYS,    /* k_mem_map_phys_*() */
	KMEM_REGION_UNPAGED, /* k_mem_map_unpaged() */
	KMEM_REGION_IMAGE,   /* a section of the boot image */
	KMEM_REGION_RAM,     /* all of RAM, with maps_all_ram */
};

struct kmem_region_info {
	uintptr_t addr; /* first usable byte */
	size_t size;    /* bytes, without guards */
	uint32_t flags; /* as mapped, updated when all of it is */
	enum kmem_region_kind kind;
	bool guarded;    /* a guard page on either side */
	uintptr_t phys;  /* PHYS, IMAGE, RAM: of the first byte; UNPAGED: the first location */
	const char *name; /* IMAGE: of the section; else "" */
};

/**
 * Call @p visit for every region in ascending order until it returns something other than 0, which is returned.
 *
 * Context: any thread; takes no lock, so regions that come or go meanwhile may be seen or not. @p visit must not map,
 * unmap or shut down.
 */
int kmem_region_walk(int (*visit)(const struct kmem_region_info *region, void *arg), void *arg);

enum kmem_page_state {
	KMEM_PAGE_STATE_UNMAPPED,
	KMEM_PAGE_STATE_GUARD,
	KMEM_PAGE_STATE_OUT,
	KMEM_PAGE_STATE_BUSY,
	KMEM_PAGE_STATE_IN,
};

struct kmem_page_status {
	enum kmem_page_state state;
	uint32_t flags;      /* permissions, with KMEM_PERM_NO_ACCESS, and cache mode; not UNMAPPED or GUARD */
	uintptr_t phys;      /* IN: physical address */
	uintptr_t location;  /* OUT: location, or one of KMEM_LOCATION_ANON_* */
	bool accessed;       /* IN */
	bool dirty;          /* IN */
	bool pinned;         /* IN */
};

/* Locations of pages that were never touched. */
#define KMEM_LOCATION_ANON_ZERO 0x0000fffffffff000ULL
#define KMEM_LOCATION_ANON_UNINIT 0x0000ffffffffe000ULL

/** State of the page around @p addr. 0; -ENODEV; -EFAULT outside the VM range. Context: anywhere; takes no lock. */
int kmem_page_status_get(const void *addr, struct kmem_page_status *status);

struct kmem_usage {
	size_t frames;          /* of emulated RAM */
	size_t frames_free;
	size_t frames_pinned;   /* mapped and pinned */
	size_t frames_mapped;   /* mapped, pinned ones included */
	size_t frames_reserved; /* never used */
	size_t pages_in;        /* anonymous and unpaged pages that are resident */
	size_t regions;
	size_t region_bytes;    /* without guards */
	struct kmem_store_usage store;
};

/** How RAM, address space and store are used. 0, or -ENODEV. Context: not in a trap; takes the kernel lock. */
int kmem_usage_get(struct kmem_usage *usage);

/* How a program will use a range of pages. */
enum kmem_advice {
	/* Kept until something else is said, or the page is unmapped: how it will go through these pages. */
	KMEM_ADVICE_NORMAL,     /* nothing is known: streams of faults are found, and read ahead for (kmem_config.readahead) */
	KMEM_ADVICE_SEQUENTIAL, /* in order: the first fault reads ahead as far as can be, and pages left behind are the first to go out */
	KMEM_ADVICE_RANDOM,     /* in no order: never more than the page that was touched is brought in */

	/* Followed at once; nothing of it is kept. */
	KMEM_ADVICE_WILL_NEED,     /* bring in what is out, as far as there are free frames or an eighth of RAM */
	KMEM_ADVICE_WILL_NOT_NEED, /* page out, but for pinned pages: contents are kept, and are written only where the store has no copy */
	KMEM_ADVICE_COLD,          /* the pages were not accessed for a while, to the policy: they go before others */
};

/**
 * Say how a range will be used, in the manner of madvise(). Our own.
 *
 * Contents never change, whatever is said; all that depends on it is how long accesses take, and the counters. Pages in transit are left
 * alone, and so are those that allow no access, or were never touched, by WILL_NEED. Pages that it brings in count as read ahead, not as
 * faults. Without read-ahead (kmem_config.readahead) SEQUENTIAL brings in single pages. Without demand paging nothing is done.
 *
 * @param addr    a multiple of the page size, in the VM range
 * @param size    bytes, rounded up to whole pages; 0 is nothing
 * @param advice  one of enum kmem_advice
 * @return 0; -EINVAL for another address, range or advice; -ENOMEM if not all of the range is mapped, the rest having been advised, or if
 *         the store has no room for all that is to go out; for WILL_NOT_NEED also what the store returned for a page that it could not
 *         write, and that stays in, the others having gone; -ENODEV if not booted. COLD: also -errno of the host
 * Context: any thread, no signal handler that may interrupt the library; takes the kernel lock, and drops it for the store.
 */
int kmem_advise(void *addr, size_t size, enum kmem_advice advice);

#define KMEM_HISTOGRAM_BINS 10

struct kmem_histogram {
	unsigned long counts[KMEM_HISTOGRAM_BINS];
	unsigned long bounds[KMEM_HISTOGRAM_BINS]; /* nanoseconds, inclusive; the last one is ULONG_MAX */
};

struct kmem_stats {
	struct {
		unsigned long cnt; /* pages that were out and were brought in because somebody asked for them */
		unsigned long irq_locked;
		unsigned long irq_unlocked;
		unsigned long in_isr;
	} pagefaults;
	struct {
		unsigned long clean; /* by a fault; as the policy judged them */
		unsigned long dirty;
	} eviction;
	unsigned long minor_faults; /* traps that only recorded an access or a write */
	unsigned long waits;        /* traps that waited for another thread's page or frame */
	unsigned long readahead_pages; /* brought in besides, by read-ahead or advice, before they were touched */
	unsigned long reliefs;      /* times that pages were made to trap again because the host's mappings ran out */
	unsigned long store_reads;  /* pages */
	unsigned long store_writes; /* pages */
	unsigned long store_errors; /* reads and writes that failed */
	uint64_t paging_ns;         /* spent in traps and in paging calls, waits included; with timing */
	uint64_t store_ns;          /* of it, reading from and writing to the store; with timing */
};

/** Counters since boot. 0; -ENODEV; -ENOTSUP if statistics are off. Context: anywhere but in a trap. */
int kmem_stats_get(struct kmem_stats *stats);

/** Of one thread: its Linux thread id, or 0 for the caller. Also -ESRCH. Context: as kmem_stats_get(). */
int kmem_thread_stats_get(pid_t tid, struct kmem_stats *stats);

enum kmem_histogram_kind {
	KMEM_HISTOGRAM_EVICTION, /* choosing a victim, in a fault */
	KMEM_HISTOGRAM_PAGE_IN,  /* the store's page_in */
	KMEM_HISTOGRAM_PAGE_OUT, /* the store's page_out */
};

/** A timing histogram. 0; -ENODEV; -EINVAL for an unknown kind; -ENOTSUP if timing is off. */
int kmem_histogram_get(enum kmem_histogram_kind kind, struct kmem_histogram *histogram);

/**
 * Print the memory map with its regions, as a picture, to descriptor @p fd: past stdio, so fflush() first. 0, or -errno of the
 * write, or -ENODEV.
 */
int kmem_map_print(int fd);

/**
 * Print setup, usage, counters and histograms as a table, without empty histograms, or as one JSON object, to descriptor @p fd. As above.
 *
 * Members of the object keep their names and meanings as long as "version" is 1; there may be more. The reports that stats_path asks for
 * are one line each, and say more: "event" ("exit", "shutdown", "fatal error", "signal", "interval"), "program", "pid", "elapsed_ns",
 * "resident_bytes", "store_read_bytes", "store_written_bytes", with KMEM_STATS_THREADS "threads", an array, and "threads_ended".
 */
int kmem_report_print(int fd, bool json);

/**
 * Give the calling thread what pthread_create() gives the threads it makes: an alternate signal stack if it has none, and
 * a place among the threads whose statistics can be asked for. For threads made otherwise; they end with
 * kmem_thread_detach(). 0, or -ENOMEM.
 */
int kmem_thread_attach(void);
void kmem_thread_detach(void);

/**
 * Check the library's own tables. True, or false with the first broken invariant in the log. For tests and debuggers; takes the
 * kernel lock and time in proportion to the VM in use.
 */
bool kmem_is_valid(void);

/** The library's version, "major.minor.patch". */
const char *kmem_version(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMEM_KMEM_H */

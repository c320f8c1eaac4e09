/* SPDX-License-Identifier: MIT */
/* The dump file of libtracemalloc, byte for byte.
 *
 * A dump is the tracer's own memory: a file that the traced process maps and changes in
 * place, so that it can be read while the process runs, after it has ended and after it
 * was killed. This header is enough to write a reader; man/tracemalloc-dump.5 describes
 * the same in prose. All numbers are in the byte order of the machine (see
 * `byte_order`), and there are no pointers, only ids: an id is the index of an entry in
 * its section.
 *
 *    0                 8192
 *    | header          | extent | extent | extent | ...
 *                        strings  code     stacks   strings (more) ...
 *
 * A section is one array, stored as a chain of extents that grow the file at its end.
 * Entries are written before the section's `count` is raised, so the first `count`
 * entries are valid at any instant, even after a SIGKILL. A reader copies `count` first
 * and the entries afterwards.
 *
 * A program may create code objects without end, so ids that only dead code used are
 * reclaimed: those of stacks whose code object, or a caller's, was freed, and which
 * hold nothing now, at exit or at the peak. What such a stack ever allocated is added
 * to its nearest caller that remains. Until an id is reused its stack, site, code
 * object or string is all zero, and nothing refers to it. While a live dump changes in
 * this way, a reader may find another stack under an id that it has read before.
 */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define TRACEMALLOC_DUMP_MAGIC "\x89TMDUMP\n"
#define TRACEMALLOC_DUMP_BYTE_ORDER 0x01020304u

/* Raised when a reader of an older version would read wrong numbers. */
enum { TRACEMALLOC_DUMP_VERSION = 2 };

enum {
    TRACEMALLOC_DUMP_HEADER_SIZE = 8192,
    TRACEMALLOC_DUMP_SECTIONS = 16,
    TRACEMALLOC_DUMP_EXTENTS = 24,
    TRACEMALLOC_DUMP_REASONS = 16,
    TRACEMALLOC_DUMP_MAX_EPOCHS = 64, /* of one process */
    TRACEMALLOC_DUMP_WINDOWS = 16,    /* of 4 epochs each */
    TRACEMALLOC_DUMP_AGES = 6,
    TRACEMALLOC_DUMP_TITLE_SIZE = 256,
    TRACEMALLOC_DUMP_COMM_SIZE = 16,
    TRACEMALLOC_DUMP_VERSION_SIZE = 16,
    TRACEMALLOC_DUMP_BUILD_SIZE = 64,
    TRACEMALLOC_DUMP_MACHINE_SIZE = 16,
    TRACEMALLOC_DUMP_MAX_SAMPLE_DISTANCE = 1 << 30,
};

/* The state of the process when the header was last written. TRACING, if the process no
 * longer exists, means that it was killed. */
enum tracemalloc_dump_state {
    TRACEMALLOC_DUMP_TRACING = 1,
    TRACEMALLOC_DUMP_STOPPED = 2,  /* tracing was stopped; the process continued */
    TRACEMALLOC_DUMP_EXITED = 3,   /* exit, _exit or quick_exit with `exit_status` */
    TRACEMALLOC_DUMP_EXEC = 4,     /* the process became another program */
    TRACEMALLOC_DUMP_SNAPSHOT = 5, /* a copy of a live dump */
    TRACEMALLOC_DUMP_SIGNAL = 6,   /* its parent saw that `signal` killed it */
};

enum tracemalloc_dump_implementation {
    TRACEMALLOC_DUMP_NO_PYTHON = 0,
    TRACEMALLOC_DUMP_CPYTHON = 1,
    TRACEMALLOC_DUMP_CPYTHON_FREE_THREADED = 2, /* native blocks only */
    TRACEMALLOC_DUMP_PYPY = 3,                  /* native blocks only */
    TRACEMALLOC_DUMP_CPYTHON_UNKNOWN = 4,       /* a version unknown to the library */
};

/* Why a dump may be incomplete: `lost[reason]` counts what is missing. */
enum tracemalloc_dump_reason {
    TRACEMALLOC_DUMP_LOST_STACKS = 0, /* events whose new stack went to `<overflow>` */
    TRACEMALLOC_DUMP_LOST_BLOCKS = 1, /* blocks not recorded: a table could not grow */
    TRACEMALLOC_DUMP_LOST_FILE = 2,   /* extents that could not be added to the file */
    TRACEMALLOC_DUMP_LOST_PYTHON = 3, /* Python frames were disabled: a check failed */
    TRACEMALLOC_DUMP_LOST_NESTED =
        4, /* blocks allocated by a signal handler that interrupted the tracer */
    TRACEMALLOC_DUMP_LOST_MEMORY = 5, /* no memory for the tracer's private tables */
    TRACEMALLOC_DUMP_LOST_NAMES =
        6, /* names cut or replaced: the string table was full */
    TRACEMALLOC_DUMP_LOST_NATIVE =
        7, /* native stacks that could not be unwound completely */
    TRACEMALLOC_DUMP_LOST_DAMAGE =
        8, /* pages of the file that another process truncated */
    TRACEMALLOC_DUMP_LOST_VERSION =
        9, /* interpreter without Python frames (see implementation) */
    TRACEMALLOC_DUMP_LOST_CRAMPED =
        10, /* events without native frames: too little stack left to unwind on */
    TRACEMALLOC_DUMP_LOST_MALLOC =
        11, /* functions of the malloc family that are another library's */
    TRACEMALLOC_DUMP_LOST_TRACK =
        12, /* PyTraceMalloc functions that could not be redirected to the tracer */
    TRACEMALLOC_DUMP_LOST_LATE =
        13, /* loaded late: addresses by which libc is called, and that stayed so */
};

/* Why the file could not grow, which is the cause of some of the reasons above. */
enum tracemalloc_dump_growth {
    TRACEMALLOC_DUMP_GROWTH_GOOD = 0,   /* it never failed */
    TRACEMALLOC_DUMP_GROWTH_BOUND = 1,  /* TRACEMALLOC_MAX_FILE */
    TRACEMALLOC_DUMP_GROWTH_LIMIT = 2,  /* RLIMIT_FSIZE */
    TRACEMALLOC_DUMP_GROWTH_FULL = 3,   /* no space left on the disk */
    TRACEMALLOC_DUMP_GROWTH_QUOTA = 4,  /* no disk quota left */
    TRACEMALLOC_DUMP_GROWTH_NAME = 5,   /* the process could not reach the file */
    TRACEMALLOC_DUMP_GROWTH_MEMORY = 6, /* no memory or addresses to map it */
    TRACEMALLOC_DUMP_GROWTH_IO = 7,     /* the file system failed */
};

/* The kind of the memory limit. If there are several limits, it is the lowest. */
enum tracemalloc_dump_limit {
    TRACEMALLOC_DUMP_LIMIT_NONE = 0,
    TRACEMALLOC_DUMP_LIMIT_CGROUP = 1,  /* of its cgroup or of an outer one */
    TRACEMALLOC_DUMP_LIMIT_AS = 2,      /* RLIMIT_AS */
    TRACEMALLOC_DUMP_LIMIT_DATA = 3,    /* RLIMIT_DATA */
    TRACEMALLOC_DUMP_LIMIT_MACHINE = 4, /* its own memory and what was available */
};

/* Why a census of types was not taken. */
enum tracemalloc_dump_refusal {
    TRACEMALLOC_DUMP_REFUSED_NOT = 0,
    TRACEMALLOC_DUMP_REFUSED_VERSION = 1, /* objects of this interpreter are unknown */
    TRACEMALLOC_DUMP_REFUSED_MEMORY = 2,  /* no memory, or no room in the file */
    TRACEMALLOC_DUMP_REFUSED_READING = 3, /* the process may not read itself */
    TRACEMALLOC_DUMP_REFUSED_FINALIZED = 4, /* its objects are being destroyed */
};

enum tracemalloc_dump_section_id {
    TRACEMALLOC_DUMP_STRINGS = 0,   /* bytes, see tracemalloc_dump_string */
    TRACEMALLOC_DUMP_CODE = 1,      /* struct tracemalloc_dump_code */
    TRACEMALLOC_DUMP_STACKS = 2,    /* struct tracemalloc_dump_stack */
    TRACEMALLOC_DUMP_SITES = 3,     /* struct tracemalloc_dump_site */
    TRACEMALLOC_DUMP_BUCKETS = 4,   /* struct tracemalloc_dump_bucket */
    TRACEMALLOC_DUMP_DOMAINS = 5,   /* struct tracemalloc_dump_domain */
    TRACEMALLOC_DUMP_MODULES = 6,   /* struct tracemalloc_dump_module */
    TRACEMALLOC_DUMP_TIMELINE = 7,  /* struct tracemalloc_dump_timeline_sample */
    TRACEMALLOC_DUMP_PROCESSES = 8, /* struct tracemalloc_dump_process */
    TRACEMALLOC_DUMP_SYMBOLS = 9,   /* struct tracemalloc_dump_symbol */
    TRACEMALLOC_DUMP_EPOCHS = 10,   /* struct tracemalloc_dump_epoch */
    TRACEMALLOC_DUMP_TYPES = 11,    /* struct tracemalloc_dump_type */
    TRACEMALLOC_DUMP_CENSUS = 12,   /* struct tracemalloc_dump_census */
    TRACEMALLOC_DUMP_SECTIONS_USED  /* how many of TRACEMALLOC_DUMP_SECTIONS */
};

/* A string is a uint32_t length, that many bytes, a NUL, and padding to 4. Its id is
 * the offset of the length in the section, in bytes. Id 0 is the empty string. Bytes
 * are UTF-8, where a lone surrogate of Python is encoded like any other code point
 * ("surrogatepass"). */
typedef uint32_t tracemalloc_dump_string;

/* A code object of Python. Id 0 is no code; id 1 is `<overflow>`. */
struct tracemalloc_dump_code {
    tracemalloc_dump_string filename;
    tracemalloc_dump_string name; /* the qualified name if the version has it */
    uint32_t first_line;
    uint32_t reserved;
};

/* A node of the prefix tree of stacks, root first: the stack is the path from the root
 * to the node. Stack 0 is the empty stack (shown as `<unknown>`), stack 1 is
 * `<overflow>`, the sum of all stacks that did not fit. A parent's id is always less
 * than its child's. The tree holds whole stacks: a reader shows the `nframe` innermost
 * frames of one.
 *
 *   Python: code  id of the code object
 *           line  line number, 0 if the code has none
 *   native: code  TRACEMALLOC_DUMP_NATIVE | id of the module
 *           line  low half of the ELF virtual address, high  its high half
 *
 * The address of a native frame is within the call instruction: the return address less
 * 1. Module 0 is code of no module, such as code generated at run time: its address is
 * that in memory.
 */
struct tracemalloc_dump_stack {
    uint32_t parent;
    uint32_t code;
    uint32_t line;
    uint32_t high;
};
#define TRACEMALLOC_DUMP_NATIVE 0x80000000u

enum {
    TRACEMALLOC_DUMP_EMPTY_STACK = 0,
    TRACEMALLOC_DUMP_OVERFLOW_STACK = 1,
};

/* One stack in one domain of one process: what its buckets hold is its own. Bytes and
 * blocks are the requested ones. Ever allocated: the sum here, of buckets that were
 * given to other sites and of dead code that this stack called, and those of its
 * buckets. In a sampled process the sums are estimates, and `sampled_blocks` counts the
 * sampled blocks behind them.
 *
 * The last two arrays are its history up to the epoch before each bucket's last change;
 * a reader adds what the buckets say since (see struct tracemalloc_dump_bucket).
 * `freed_late[i]` counts the blocks freed at an age of 2^i to 2^(i+1)-1 epochs;
 * `risen[i] << risen_unit` is by how many bytes its live blocks became more, or less,
 * in window i: epochs 4 i to 4 i + 3. In a sampled process both are estimates. */
struct tracemalloc_dump_site {
    uint32_t stack;
    uint32_t domain; /* index in the section of domains */
    uint64_t total_bytes;
    uint64_t total_blocks;
    uint32_t process;    /* index in the section of processes; 0 without that */
    uint32_t risen_unit; /* 0 until the bytes of a window exceed 31 bits */
    uint32_t freed_late[TRACEMALLOC_DUMP_AGES];
    int32_t risen[TRACEMALLOC_DUMP_WINDOWS];
    uint64_t sampled_blocks;
    /* Of buckets that were given to other sites: see the buckets' `temporary`. */
    uint64_t temporary_bytes;
    uint64_t temporary_blocks;
};

/* The blocks of one size that one stack allocated in one epoch in one domain. `live`
 * counts those that it holds now, or held at the very end of a process that ended;
 * `at_exit` those when the runtime was marked as finalizing, valid if the header's
 * `finalized` is 1.
 *
 * The header's stamp is raised at each peak and at each epoch's begin, and a bucket
 * takes it over when it changes for the first time since; before that it notes
 *
 *   peak_live     if its own stamp is older than the header's `peak_number`: what it
 *                 held at the peak
 *   live_before   if its own stamp is older than the epoch's: what it held until then;
 *                 the change of `live` from the old `live_before` is added to its
 *                 site's history, as one of the epoch that its old stamp is of
 *
 * Stamps are compared by the sign of their 32-bit difference. So the bucket held at the
 * peak: `peak_live` where its stamp is not older than the header's `peak_number`, else
 * `live`. While the header's current bytes are more than its `peak_bytes` the peak is
 * now: `live`. And what is missing in its site's history is the change from
 * `live_before` to `live`, in the epoch of its stamp: the last one that began with that
 * or an older one.
 *
 * In a sampled process (`sample_distance`) the counts are those of sampled blocks, but
 * in the mmap domain, where every block is counted: each stands for
 * 1 / (1 - exp(-size / sample_distance)) blocks of the bucket's size.
 *
 * Temporary blocks, those freed before their thread allocated another one, are counted
 * for memory that is allocated and freed with the GIL, and not in a sampled process.
 *
 * A bucket that holds nothing may later be given to another site. Entry 0 is unused. */
struct tracemalloc_dump_bucket {
    uint32_t site; /* and, in the highest bit, TRACEMALLOC_DUMP_NOT_PYTHON */
    uint32_t live;
    uint64_t size;
    uint32_t total; /* blocks ever counted here, without those in the site's sum */
    uint32_t stamp;
    uint32_t peak_live;
    uint32_t at_exit;
    uint32_t live_before;
    uint8_t birth; /* index of the epoch among those of its process */
    /* A number of 24 bits in the machine's byte order; with `birth` in the low 8 bits
     * of a word. Each 2^24 are added to the site's sum. */
    uint8_t temporary[3];
};
/* The domain is another one than the first. */
#define TRACEMALLOC_DUMP_NOT_PYTHON 0x80000000u

/* number: 0 Python, 1 libc, 2 mmap, else as given to PyTraceMalloc_Track. */
struct tracemalloc_dump_domain {
    uint32_t number;
    tracemalloc_dump_string name;
};

enum {
    TRACEMALLOC_DUMP_DOMAIN_PYTHON = 0,
    TRACEMALLOC_DUMP_DOMAIN_LIBC = 1,
    TRACEMALLOC_DUMP_DOMAIN_MMAP = 2,
};

/* An executable or shared object, and where its code was mapped. */
struct tracemalloc_dump_module {
    tracemalloc_dump_string path;
    tracemalloc_dump_string build_id; /* lower case hexadecimal digits */
    uint64_t load_bias;               /* address in memory less ELF virtual address */
    uint64_t start;                   /* lowest mapped address of its code */
    uint64_t end;
    uint64_t reserved;
};

/* What `tracemalloc resolve` found at the address of a native frame. The entries are in
 * the order of module and address. Those with the same two are the functions that were
 * inlined into each other there, the outermost first. If nothing was found, there is
 * one entry with both texts empty. Only dumps that were resolved have this section. */
struct tracemalloc_dump_symbol {
    uint32_t module;
    tracemalloc_dump_string function; /* demangled; empty if unknown */
    tracemalloc_dump_string filename; /* of the source; empty if unknown */
    uint32_t line;                    /* 0 if unknown */
    uint64_t address;                 /* ELF virtual address, as in the stacks */
};

/* The heap at one point in time. */
struct tracemalloc_dump_timeline_sample {
    uint64_t time; /* nanoseconds since the header's start_time */
    uint64_t python_bytes;
    uint64_t native_bytes;
    uint64_t rss_bytes;
};

/* A part of the time in which a process was traced: it ends where the next one begins.
 * The first begins with the tracing, in a child of a fork with its parent's. When there
 * are TRACEMALLOC_DUMP_MAX_EPOCHS, each two become one, and so do their windows, and
 * further epochs are twice as long. */
struct tracemalloc_dump_epoch {
    uint64_t start; /* nanoseconds since 1970 */
    uint32_t stamp; /* the header's, when it began */
    uint32_t process;
};

/* A type of Python's objects, such as `dict` or `orders.Order`, or of their parts:
 * `<table of list>`. Id 0 is that of other blocks. */
struct tracemalloc_dump_type {
    tracemalloc_dump_string name; /* with its module, but for builtins */
    uint32_t reserved;
};

/* How many blocks of a bucket held an object of one type when the census was taken (the
 * header's census_time); of a sampled process, how many sampled ones. Only buckets of
 * the first domain have entries. The section is empty without a census, and is emptied
 * when buckets are given to other sites. */
struct tracemalloc_dump_census {
    uint32_t bucket;
    uint32_t type;
    uint32_t blocks;
};

/* One of the processes of a merged dump. Its header describes the one that started
 * first, and has the sums of all. Only merged dumps have this section. */
struct tracemalloc_dump_process {
    uint32_t pid;
    uint32_t ppid;
    uint64_t start_time;
    uint64_t end_time;
    uint64_t peak_bytes;
    tracemalloc_dump_string argv;
    uint32_t state; /* enum tracemalloc_dump_state; TRACING: it was killed */
    int32_t exit_status;
    int32_t signal;
    uint64_t run_id;
    tracemalloc_dump_string executable;
    uint32_t sample_distance; /* as the header's */
    char title[TRACEMALLOC_DUMP_TITLE_SIZE];
    char comm[TRACEMALLOC_DUMP_COMM_SIZE];
};

struct tracemalloc_dump_extent {
    uint64_t offset; /* in the file, a multiple of 4096 */
    uint64_t length; /* bytes, a multiple of 4096 */
};

/* The section's bytes are those of its extents, in order, one after the other. */
struct tracemalloc_dump_section {
    uint32_t entry_size; /* bytes; 1 for strings */
    uint32_t extent_count;
    uint64_t count; /* valid entries; bytes for strings */
    struct tracemalloc_dump_extent extents[TRACEMALLOC_DUMP_EXTENTS];
};

struct tracemalloc_dump_header {
    char magic[8];
    uint32_t byte_order;
    uint32_t version;
    uint32_t header_size;
    uint32_t section_count;
    uint64_t file_size; /* bytes that belong to the dump */

    /* The process. */
    uint32_t pid;
    uint32_t ppid;
    uint64_t start_time;    /* of the tracing; nanoseconds since the epoch */
    uint64_t process_start; /* clock ticks since boot, field 22 of /proc/PID/stat */
    char boot_id[40];       /* of /proc/sys/kernel/random/boot_id, or empty */
    tracemalloc_dump_string argv; /* each argument followed by a NUL */
    tracemalloc_dump_string executable;
    uint32_t implementation; /* enum tracemalloc_dump_implementation */
    uint32_t python_version; /* PY_VERSION_HEX, 0 without Python */
    uint32_t nframe;         /* innermost frames of a stack to show */
    uint32_t native_nframe;  /* native frames at most in a stack, 0 if not asked for */
    uint32_t generation;     /* how many dumps this process wrote before */
    uint32_t free_lists;    /* 1 if objects of free lists count where they are reused */
    uint64_t run_id;        /* of `tracemalloc run` (TRACEMALLOC_RUN), else 0 */
    uint64_t pid_namespace; /* inode of /proc/self/ns/pid, in which `pid` is a number;
                               0 if it could not be read */
    /* From the kernel, at the last sample of the timeline. They always end with a NUL,
     * and may be half-written while the process runs. The title is the memory of the
     * arguments, separated by spaces: some programs overwrite it. */
    char title[TRACEMALLOC_DUMP_TITLE_SIZE];
    char comm[TRACEMALLOC_DUMP_COMM_SIZE]; /* the name of its first thread */

    /* Its end. */
    uint32_t state; /* enum tracemalloc_dump_state */
    int32_t exit_status;
    int32_t signal;
    int32_t oom_killed; /* 0, 1, or -1 if unknown */
    uint64_t end_time;  /* nanoseconds since the epoch, 0 while it runs */
    uint32_t finalized; /* 1 once the buckets' at_exit is valid */
    uint32_t foreign;   /* 1: copied from dumps of users who do not own the copy */

    /* Totals. Python: all domains but libc and mmap, as the interpreter's own tracer
     * counts. A peak is written when the bytes begin to fall: until then the current
     * bytes are larger, and are the peak. In a sampled process they are estimates, as
     * the bytes of the timeline are; its resident memory is exact. */
    uint64_t python_bytes;
    uint64_t native_bytes;
    uint64_t peak_bytes; /* of the sum of both */
    uint64_t python_peak_bytes;
    uint32_t peak_number; /* the stamp of the last peak; see the buckets */
    uint16_t
        growth; /* enum tracemalloc_dump_growth: why the file last failed to grow */
    uint16_t growth_error; /* the number of that error in errno.h */
    uint64_t arena_bytes;  /* of the interpreter's arenas, in which its objects are */
    /* Measured at the last sample of the timeline. */
    uint64_t tracer_bytes; /* private memory of the tracer, without this file */
    uint64_t mapped_resident_bytes; /* resident part of the mmap domain */
    uint64_t lost[TRACEMALLOC_DUMP_REASONS];

    /* Requests of the command to the process (see tracemalloc-dump(5)). */
    uint32_t request_signal; /* of requests to this process; 0: the program took it */
    uint32_t cleared;        /* how many times the traces were cleared */

    /* Epochs, and what the process may use. */
    uint32_t stamp;        /* of the last peak or epoch; see the buckets */
    uint32_t halvings;     /* how many times each two epochs became one */
    uint64_t memory_limit; /* bytes, as the kernel said when an epoch began; 0: none */
    uint32_t memory_limit_source; /* enum tracemalloc_dump_limit */
    /* Mean distance, in allocated bytes, between two sampled ones: a block of s bytes
     * is sampled with probability 1 - exp(-s / sample_distance). 0: every block is. */
    uint32_t sample_distance;

    /* When the library was loaded into a process that already ran: what it held before
     * is unknown. Nanoseconds since the epoch; 0: at its start. */
    uint64_t loaded_late;

    /* Of the resident memory, at the last sample of the timeline: pages of files and
     * shared memory, this file's among them. 0: unknown. */
    uint64_t shared_bytes;

    struct tracemalloc_dump_section sections[TRACEMALLOC_DUMP_SECTIONS];

    /* The census of types: see the section. In a merged dump the last one's time, the
     * longest duration, and the sum of unread blocks. */
    uint64_t census_time;     /* nanoseconds since 1970; 0: there is none */
    uint64_t census_duration; /* for which the program stood still; nanoseconds */
    uint64_t census_unread;   /* live blocks that it did not count */
    uint32_t census_number;   /* raised at the end of each census that was asked for */
    uint16_t census_running;  /* 1 while one is being taken */
    uint16_t census_refused;  /* enum tracemalloc_dump_refusal, of the last one */

    /* The library that wrote the dump. They end with a NUL; empty: unknown, or the
     * processes of a merged dump had different ones. In all later formats the version
     * is here too, so that a reader that is too old can say which one is needed. */
    char library_version[TRACEMALLOC_DUMP_VERSION_SIZE]; /* such as 0.2.0 */
    char library_build[TRACEMALLOC_DUMP_BUILD_SIZE];     /* its commit or `release`, its
                                                            compiler */
    char library_machine[TRACEMALLOC_DUMP_MACHINE_SIZE]; /* such as x86_64 */

    /* With TRACEMALLOC_SNAPSHOT_AT: of the memory limit that was nearest when the
     * process last looked, what was in use (see tracemalloc-dump(5)). 0: unknown. */
    uint64_t nearest_used;
    uint64_t nearest_limit;
    uint32_t nearest_source; /* enum tracemalloc_dump_limit */
    /* Of a copy that the process wrote then: what was reached. Else both are 0. */
    uint32_t reached_percent; /* of the limit */
    uint64_t reached_bytes;   /* resident */
};

static_assert(sizeof(struct tracemalloc_dump_code) == 16, "code");
static_assert(sizeof(struct tracemalloc_dump_stack) == 16, "stack");
static_assert(sizeof(struct tracemalloc_dump_site) == 144, "site");
static_assert(sizeof(struct tracemalloc_dump_bucket) == 40, "bucket");
static_assert(sizeof(struct tracemalloc_dump_domain) == 8, "domain");
static_assert(sizeof(struct tracemalloc_dump_module) == 40, "module");
static_assert(sizeof(struct tracemalloc_dump_symbol) == 24, "symbol");
static_assert(sizeof(struct tracemalloc_dump_timeline_sample) == 32, "timeline sample");
static_assert(sizeof(struct tracemalloc_dump_epoch) == 16, "epoch");
static_assert(sizeof(struct tracemalloc_dump_type) == 8, "type");
static_assert(sizeof(struct tracemalloc_dump_census) == 12, "census");
static_assert(sizeof(struct tracemalloc_dump_process) == 336, "process");
static_assert(sizeof(struct tracemalloc_dump_section) == 400, "section");
static_assert(offsetof(struct tracemalloc_dump_header, library_version) == 7120,
              "place of the library's version");
static_assert(sizeof(struct tracemalloc_dump_header) <= TRACEMALLOC_DUMP_HEADER_SIZE,
              "header");

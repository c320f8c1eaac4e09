/* SPDX-License-Identifier: MIT */
#include "hooks/got_hooks.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "base/lock.h"
#include "base/sys.h"
#include "hooks/jump.h"
#include "hooks/loaded_late.h"
#include "stack/native/native_loads.h"
#include "stack/native/native_slots.h"

enum { MOST_HOOKS = 256, TABLE = 1024 };

struct hook {
    const char *name;
    void *ours;
    void *real; /* NULL: not loaded yet */
};

static struct hook hooks[MOST_HOOKS];
static size_t hook_count;
static uint8_t table[TABLE]; /* by the name's hash: index in hooks, plus 1 */

enum { MASK_SIZE = 8 };

static struct lock lock = {.rank = LOCK_SLOTS};
static uint64_t seen_adds; /* of the loader; protected by the lock, as the next */
static bool installed;
/* Changes to false without the lock, in a signal handler that must not wait for it. */
static bool wanted;

/* Signals stay out while the lock is held: their handlers take others. */
static uint64_t block_signals(void) {
    static const uint64_t all = ~UINT64_C(0);
    uint64_t before = 0;
    sys_call(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, MASK_SIZE);
    return before;
}

static void restore_signals(uint64_t before) {
    sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, MASK_SIZE);
}

/* --- the functions ---------------------------------------------------------------- */

static uint8_t *find_entry(const char *name) {
    uint32_t at = hash_symbol(name) % TABLE;
    while (table[at] != 0 && strcmp(hooks[table[at] - 1].name, name) != 0)
        at = (at + 1) % TABLE;
    return &table[at];
}

static void add(const char *name, void *ours, void *real) {
    if (hook_count == MOST_HOOKS - 1 || ours == real)
        return;
    hooks[hook_count++] = (struct hook){name, ours, real};
    *find_entry(name) = (uint8_t)hook_count;
}

/* The interpreter keeps its own tracer and its variables. */
static bool is_for_start(const char *name) {
    static const char *const names[] = {"getenv", "pthread_key_create"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "Py", 2) == 0 || strncmp(name, "_Py", 3) == 0 ||
           strncmp(name, "tracemalloc_", 12) == 0;
}

static void add_exported(const char *name, void *ours) {
    void *real = is_for_start(name) ? NULL : loaded_late_find(name);
    if (real != NULL)
        add(name, ours, real);
}

/* Our own exported functions, in the order of their hashes (see native_object.c): the
 * lowest bit of a word ends a bucket. */
static void add_all_exported(const struct native_slots *own) {
    uint32_t buckets = own->hash[0], first = own->hash[1];
    const uint32_t *bucket = own->hash + 4 + 2 * (size_t)own->hash[2];
    const uint32_t *chain = bucket + buckets;
    for (uint32_t i = 0; i < buckets; i++)
        for (uint32_t index = bucket[i]; index >= first; index++) {
            const ElfW(Sym) *symbol = own->symbols + index;
            if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC)
                add_exported(own->names + symbol->st_name,
                             (void *)(own->bias + symbol->st_value));
            if ((chain[index - first] & 1) != 0)
                break;
        }
}

/* --- the slots -------------------------------------------------------------------- */

static bool is_own(uintptr_t start, uintptr_t end) {
    uintptr_t own = (uintptr_t)got_hooks_prepare;
    return own >= start && own < end;
}

static bool is_left_alone(const struct native_slots *object) {
    return is_own(object->start, object->end) || _r_debug.r_ldbase == object->bias;
}

/* Where a call goes that was never made: back into the object's own PLT. */
static bool is_unbound(const struct native_slots *object,
                       const struct native_slot *slot, const void *value) {
    uintptr_t address = (uintptr_t)value;
    return slot->is_call && slot->is_undefined && address >= object->start &&
           address < object->end;
}

/* Another tool stands in front of libc there. Other slots than a call's may have the
 * address of a stub in the executable, which is libc's function all the same. */
static bool is_taken(const struct native_slot *slot) {
    static const char *const memory[] = {"malloc", "calloc", "realloc",
                                         "free",   "mmap",   "munmap"};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        if (slot->is_call && slot->is_undefined && strcmp(slot->name, memory[i]) == 0)
            return true;
    return false;
}

static int change_slot(const struct native_slots *object,
                       const struct native_slot *slot, bool install) {
    uint8_t index = *find_entry(slot->name);
    const struct hook *hook = index != 0 ? &hooks[index - 1] : NULL;
    if (hook == NULL || hook->real == NULL)
        return 0;
    void *value = __atomic_load_n(slot->place, __ATOMIC_RELAXED);
    if (!install)
        return value == hook->ours ? native_slots_set(object, slot->place, hook->real)
                                   : 0;
    if (value == hook->real || is_unbound(object, slot, value))
        return native_slots_set(object, slot->place, hook->ours);
    return value != hook->ours && is_taken(slot) ? -EBUSY : 0;
}

static unsigned change_object(const struct native_slots *object, bool install) {
    struct native_slots_at at = {0};
    struct native_slot slot;
    unsigned failed = 0;
    while (native_slots_next(object, &at, &slot))
        failed += change_slot(object, &slot, install) < 0;
    return failed;
}

struct pass {
    bool install;
    unsigned failed;
};

static int visit(struct dl_phdr_info *info, size_t size, void *argument) {
    struct pass *pass = argument;
    struct native_object object;
    struct native_slots slots;
    (void)size;
    seen_adds = info->dlpi_adds;
    native_object_describe(info, &object);
    native_slots_describe(&object, info->dlpi_phdr, info->dlpi_phnum, &slots);
    if (!is_left_alone(&slots))
        pass->failed += change_object(&slots, pass->install);
    return 0;
}

/* --- calls that bring objects, and calls by address ------------------------------- */

static int (*real_ffi_call)(void *cif, void *function, void *result, void **arguments);
static void *(*real_dlopen)(const char *name, int flags);
static void *(*real_dlsym)(void *handle, const char *name);
static struct hook *ffi_hook;

static int find_ffi(struct dl_phdr_info *info, size_t size, void *found) {
    static const char name[] = "ffi_call";
    struct native_object object;
    struct native_symbol symbol;
    (void)size;
    native_object_describe(info, &object);
    if (native_object_symbol(&object, name, hash_symbol(name), &symbol) < 0)
        return 0;
    *(void **)found = (void *)symbol.address;
    return 1;
}

/* Whoever holds the loader's lock may wait for ours in one of its callbacks, so no
 * thread waits for ours: one that finds it taken leaves the work to its holder. */
static unsigned change_all(bool install) {
    struct pass pass = {install, 0};
    if (real_ffi_call == NULL) {
        dl_iterate_phdr(find_ffi, (void *)&real_ffi_call);
        ffi_hook->real = (void *)real_ffi_call;
    }
    dl_iterate_phdr(visit, &pass);
    return pass.failed;
}

static void change_new(void) {
    int saved = errno;
    if (native_loads_added() != __atomic_load_n(&seen_adds, __ATOMIC_RELAXED)) {
        uint64_t mask = block_signals();
        if (lock_try(&lock)) {
            if (installed)
                change_all(true);
            lock_release(&lock);
        }
        restore_signals(mask);
    }
    errno = saved;
}

/* libc's functions have our own instead, for who has found their addresses. */
static void *replaced(void *function) {
    for (size_t i = 0; i < hook_count; i++)
        if (hooks[i].real == function && installed)
            return hooks[i].ours;
    return function;
}

static int call_by_address(void *cif, void *function, void *result, void **arguments) {
    return real_ffi_call(cif, replaced(function), result, arguments);
}

static void *open_and_change(const char *name, int flags) {
    void *handle = real_dlopen(name, flags);
    if (handle != NULL)
        change_new();
    return handle;
}

/* glibc looks for a name without a slash as its caller is linked to, so such a call
 * goes on as it came; what it brings is changed when its symbols are asked for. */
__attribute__((used)) static void *note_dlopen(const char *name) {
    bool has_path = name != NULL && strchr(name, '/') != NULL;
    return has_path ? (void *)open_and_change : (void *)real_dlopen;
}

__attribute__((used)) static void *note_dlsym(void) {
    change_new();
    return (void *)real_dlsym;
}

/* Jumps, with the arguments and the stack as the program left them: both look at their
 * caller. */
internal void got_hooks_dlopen(void);
internal void got_hooks_dlsym(void);
JUMP_WHERE("got_hooks_dlopen", "note_dlopen");
JUMP_WHERE("got_hooks_dlsym", "note_dlsym");

static int find_own(struct dl_phdr_info *info, size_t size, void *own) {
    struct native_object object;
    (void)size;
    native_object_describe(info, &object);
    if (!is_own(object.start, object.end))
        return 0;
    native_slots_describe(&object, NULL, 0, own);
    return 1;
}

/* --- on and off ------------------------------------------------------------------- */

int got_hooks_prepare(void) {
    struct native_slots own = {0};
    if (hook_count > 0)
        return 0;
    dl_iterate_phdr(find_own, &own);
    if (own.hash == NULL)
        return -ENOENT;
    add_all_exported(&own);
    *(void **)(void *)&real_dlopen = loaded_late_find("dlopen");
    *(void **)(void *)&real_dlsym = loaded_late_find("dlsym");
    if (real_dlopen == NULL || real_dlsym == NULL)
        return -ENOENT;
    add("dlopen", (void *)got_hooks_dlopen, (void *)real_dlopen);
    add("dlsym", (void *)got_hooks_dlsym, (void *)real_dlsym);
    ffi_hook = &hooks[hook_count];
    add("ffi_call", (void *)call_by_address, NULL);
    return 0;
}

unsigned got_hooks_install(void) {
    uint64_t mask = block_signals();
    lock_take(&lock);
    __atomic_store_n(&wanted, true, __ATOMIC_RELAXED);
    installed = true;
    unsigned failed = change_all(true);
    lock_release(&lock);
    restore_signals(mask);
    return failed;
}

void got_hooks_give_up(void) {
    __atomic_store_n(&wanted, false, __ATOMIC_RELAXED);
}

/* They may be wanted again by now. */
bool got_hooks_remove(void) {
    int saved = errno;
    uint64_t mask = block_signals();
    bool taken = lock_try(&lock);
    if (taken) {
        if (installed && !__atomic_load_n(&wanted, __ATOMIC_RELAXED)) {
            change_all(false);
            installed = false;
        }
        lock_release(&lock);
    }
    restore_signals(mask);
    errno = saved;
    return taken;
}

void got_hooks_fork(void) {
    lock_fork(&lock);
    lock_release(&lock);
}

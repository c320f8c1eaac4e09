/* SPDX-License-Identifier: MIT */
#include "tracing/limit_snapshot.h"

#include <string.h>

#include "base/message.h"
#include "base/process.h"
#include "base/sys.h"
#include "dump/dump_census.h"
#include "dump/dump_copy.h"
#include "hooks/libc_real.h"
#include "trace/memory_watch.h"
#include "trace/timeline.h"
#include "trace/tracer.h"
#include "tracing/traced_process.h"
#include "tracing/type_census.h"

/* Bytes, about twice as many as it takes. */
enum {
    MIN_ROOM = 1 << 20, /* left to the program */
    CENSUS_FIXED = 512 << 10,
    CENSUS_BUCKET = 32,
};

/* Bytes that may be taken without reaching the limit. */
static uint64_t room_below(const struct memory_use *use) {
    if (use->limit == 0)
        return UINT64_MAX;
    uint64_t used = use->used + MIN_ROOM;
    return use->limit > used ? use->limit - used : 0;
}

static uint64_t census_bytes(void) {
    uint64_t buckets = tracer.dump->header->sections[TRACEMALLOC_DUMP_BUCKETS].count;
    return CENSUS_FIXED + buckets * CENSUS_BUCKET;
}

static const char *reason(int error) {
    if (error == -ENOMEM)
        return "too little memory is left";
    if (error == -EFBIG || error == -EDOM)
        return "the limit on its size is too low";
    return libc_real.strerrordesc_np != NULL ? libc_real.strerrordesc_np(-error)
                                             : "the system refuses it";
}

static int write_copy(const struct options_threshold *threshold, const char *text,
                      uint64_t room) {
    static char name[PATH_MAX], path[PATH_MAX]; /* protected by the tracer's lock */
    const struct dump_copy copy = {
        .end_time = process_clock(),
        .reached_percent = threshold->unit == '%' ? (uint32_t)threshold->number : 0,
        .reached_bytes = options_threshold_bytes(threshold),
        .spares_memory = true,
    };
    static const char infix[] = ".at-";
    size_t length = strlen(tracer.dump->path);
    if (length + sizeof infix + strlen(text) > sizeof name)
        return -ENAMETOOLONG;
    memcpy(name, tracer.dump->path, length);
    strcpy(name + length, infix);
    strcat(name + length, text);
    return dump_copy_to_free_name(tracer.dump, name, &copy, room, path);
}

/* The counts are those of the last sample, which is made now. */
static void take(const struct options_threshold *threshold,
                 const struct memory_use *use) {
    char text[OPTIONS_THRESHOLD_SIZE];
    uint64_t room = room_below(use), needed = census_bytes();
    /* A child of vfork runs on its parent's memory. */
    if (!tracer.dump->attached || tracer.dump->header->pid != (uint32_t)sys_getpid())
        return;
    timeline_add();
    if (needed <= room) {
        type_census_take();
        room -= needed;
    } else {
        dump_census_drop(tracer.dump);
        tracer.dump->header->census_refused = TRACEMALLOC_DUMP_REFUSED_MEMORY;
    }
    options_threshold_text(threshold, text);
    int error = write_copy(threshold, text, room);
    if (error < 0)
        message("no snapshot at ", text, threshold->unit == '%' ? "%" : "", ": ",
                reason(error), NULL);
}

void limit_snapshot_open(void) {
    memory_watch_open(tracer.dump, &traced_process.options->snapshot_at, take);
}

void limit_snapshot_close(void) {
    memory_watch_close();
}

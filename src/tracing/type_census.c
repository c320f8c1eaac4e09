/* SPDX-License-Identifier: MIT */
#include "tracing/type_census.h"

#include <assert.h>

#include "base/own_memory.h"
#include "event/event_python.h"
#include "stack/python/python_type.h"
#include "trace/census.h"
#include "trace/tracer.h"
#include "tracing/traced_process.h"

static_assert((int)CENSUS_HEAD == (int)PYTHON_TYPE_HEAD, "the same part of a block");

static enum tracemalloc_dump_refusal count_types(const struct own_memory *memory) {
    const struct census_source source = {memory, python_type_of};
    if (python_type_open(traced_process.runtime, memory, census_type) < 0)
        return TRACEMALLOC_DUMP_REFUSED_MEMORY;
    int error = census_take(&source);
    python_type_close();
    return error < 0 ? TRACEMALLOC_DUMP_REFUSED_MEMORY : TRACEMALLOC_DUMP_REFUSED_NOT;
}

static enum tracemalloc_dump_refusal take(void) {
    struct own_memory memory;
    if (tracer.dump->header->finalized != 0)
        return TRACEMALLOC_DUMP_REFUSED_FINALIZED;
    if (!event_python.enabled)
        return TRACEMALLOC_DUMP_REFUSED_VERSION;
    if (own_memory_open(&memory) < 0)
        return TRACEMALLOC_DUMP_REFUSED_READING;
    enum tracemalloc_dump_refusal refusal = count_types(&memory);
    own_memory_close(&memory);
    return refusal;
}

void type_census_take(void) {
    struct tracemalloc_dump_header *header = tracer.dump->header;
    header->census_running = 1;
    header->census_refused = (uint16_t)take();
    header->census_running = 0;
    __atomic_fetch_add(&header->census_number, 1, __ATOMIC_RELEASE);
}

/* SPDX-License-Identifier: MIT */
#include "module/traceback_object.h"

#include "stack/python/python_api.h"

void *traceback_object_text(const char *bytes, uint32_t length) {
    return python_api.string_decode(bytes, (ptrdiff_t)length, "surrogatepass");
}

void *traceback_object_frame(void *filename, uint32_t line) {
    void *tuple = filename != NULL ? python_api.tuple_new(2) : NULL;
    if (tuple == NULL) {
        if (filename != NULL)
            python_api.decrease(filename);
        return NULL;
    }
    python_api.untrack(tuple);
    if (python_api_put(tuple, 0, filename) &&
        python_api_put(tuple, 1, python_api.long_from_size(line)))
        return tuple;
    python_api.decrease(tuple);
    return NULL;
}

void *traceback_object_unknown(void) {
    void *name = traceback_object_text("<unknown>", 9);
    void *frame = traceback_object_frame(name, 0);
    void *tuple = frame != NULL ? python_api.tuple_new(1) : NULL;
    if (tuple == NULL) {
        if (frame != NULL)
            python_api.decrease(frame);
        return NULL;
    }
    python_api.untrack(tuple);
    if (python_api_put(tuple, 0, frame))
        return tuple;
    python_api.decrease(tuple);
    return NULL;
}

/* SPDX-License-Identifier: MIT */
#include "stack/python/python_api.h"

#include <dlfcn.h>
#include <errno.h>

struct python_api python_api;

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
    {"_Py_NoneStruct", offsetof(struct python_api, none)},
    {"PyModuleDef_Type", offsetof(struct python_api, module_def_type)},
    {"PyModule_GetDef", offsetof(struct python_api, module_get_def)},
    {"PyLong_FromSize_t", offsetof(struct python_api, long_from_size)},
    {"PyLong_AsLong", offsetof(struct python_api, long_as_long)},
    {"PyBool_FromLong", offsetof(struct python_api, bool_from_long)},
    {"PyTuple_New", offsetof(struct python_api, tuple_new)},
    {"PyTuple_GetItem", offsetof(struct python_api, tuple_get)},
    {"PyTuple_SetItem", offsetof(struct python_api, tuple_set)},
    {"PyObject_GC_UnTrack", offsetof(struct python_api, untrack)},
    {"PyList_New", offsetof(struct python_api, list_new)},
    {"PyList_SetItem", offsetof(struct python_api, list_set)},
    {"PyUnicode_DecodeUTF8", offsetof(struct python_api, string_decode)},
    {"PyFloat_FromDouble", offsetof(struct python_api, float_from_double)},
    {"PyDict_New", offsetof(struct python_api, dict_new)},
    {"PyErr_NoMemory", offsetof(struct python_api, no_memory)},
    {"Py_IncRef", offsetof(struct python_api, increase)},
    {"Py_DecRef", offsetof(struct python_api, decrease)},
    {"Py_AddPendingCall", offsetof(struct python_api, add_pending_call)},
};

int python_api_find(void *handle) {
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *found = dlsym(handle, symbols[i].name);
        if (found == NULL)
            return -ENXIO;
        *(void **)(void *)((char *)&python_api + symbols[i].offset) = found;
    }
    return 0;
}

bool python_api_put(void *tuple, ptrdiff_t at, void *item) {
    return item != NULL && python_api.tuple_set(tuple, at, item) == 0;
}

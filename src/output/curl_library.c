/* SPDX-License-Identifier: MIT */
#include "output/curl_library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

#include "output/library_functions.h"

static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

#define FUNCTION(name)                                                                 \
    { offsetof(struct curl_library, name), "curl_" #name }

static const struct library_function functions[] = {
    FUNCTION(easy_init),    FUNCTION(easy_setopt),    FUNCTION(easy_perform),
    FUNCTION(easy_getinfo), FUNCTION(easy_strerror),  FUNCTION(easy_cleanup),
    FUNCTION(easy_escape),  FUNCTION(free),           FUNCTION(mime_init),
    FUNCTION(mime_addpart), FUNCTION(mime_name),      FUNCTION(mime_filename),
    FUNCTION(mime_type),    FUNCTION(mime_data),      FUNCTION(mime_free),
    FUNCTION(slist_append), FUNCTION(slist_free_all), FUNCTION(url),
    FUNCTION(url_set),      FUNCTION(url_get),        FUNCTION(url_cleanup),
};

const struct curl_library *curl_library_load(void) {
    static struct curl_library library;
    static bool loaded;
    for (size_t i = 0; !loaded && i < sizeof names / sizeof *names; i++) {
        void *handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        loaded = handle != NULL &&
                 library_functions_find(handle, functions,
                                        sizeof functions / sizeof *functions, &library);
        if (handle != NULL && !loaded)
            dlclose(handle);
    }
    return loaded ? &library : NULL;
}

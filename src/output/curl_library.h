/* SPDX-License-Identifier: MIT */
/* libcurl, loaded when it is asked for: with the libraries that it needs it would make
 * every other command start four times as slowly. For offline code; one thread. */
#pragma once

/* The checks of arguments refer to the functions themselves. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

struct curl_library {
    typeof(curl_easy_init) *easy_init;
    typeof(curl_easy_setopt) *easy_setopt;
    typeof(curl_easy_perform) *easy_perform;
    typeof(curl_easy_getinfo) *easy_getinfo;
    typeof(curl_easy_strerror) *easy_strerror;
    typeof(curl_easy_cleanup) *easy_cleanup;
    typeof(curl_easy_escape) *easy_escape;
    typeof(curl_free) *free;
    typeof(curl_mime_init) *mime_init;
    typeof(curl_mime_addpart) *mime_addpart;
    typeof(curl_mime_name) *mime_name;
    typeof(curl_mime_filename) *mime_filename;
    typeof(curl_mime_type) *mime_type;
    typeof(curl_mime_data) *mime_data;
    typeof(curl_mime_free) *mime_free;
    typeof(curl_slist_append) *slist_append;
    typeof(curl_slist_free_all) *slist_free_all;
    typeof(curl_url) *url;
    typeof(curl_url_set) *url_set;
    typeof(curl_url_get) *url_get;
    typeof(curl_url_cleanup) *url_cleanup;
};

/* NULL where it is not installed or too old. It stays loaded. */
const struct curl_library *curl_library_load(void);

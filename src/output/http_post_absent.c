/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "output/http_post.h"

int http_post_open(struct http_response *response) {
    *response = (struct http_response){0};
    snprintf(response->text, sizeof response->text,
             "this command was built without libcurl (Debian: libcurl4-openssl-dev)");
    return -ENOTSUP;
}

int http_post_check(const char *url) {
    (void)url;
    return -ENOTSUP;
}

int http_post(const struct http_request *request, struct http_response *response) {
    (void)request;
    return http_post_open(response);
}

char *http_post_escape(const char *text) {
    return strdup(text);
}

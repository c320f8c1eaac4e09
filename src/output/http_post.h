/* SPDX-License-Identifier: MIT */
/* Sends one HTTP request with libcurl. Where the command is built without libcurl's
 * headers, by http_post_absent.c, and where the library is not installed, each request
 * fails.
 *
 * For offline code; allocates; one thread. Proxies, and certificates unless the request
 * has them, are those of libcurl's own variables. Redirections are not followed: a body
 * is sent to the address that the user gave.
 */
#pragma once

#include <stddef.h>

#include "base/compiler.h"

enum { HTTP_POST_TEXT_SIZE = 4096 };

/* A file of a form. `name` NULL ends a list. */
struct http_part {
    const char *name;
    const char *filename;
    const char *content_type;
    const void *bytes;
    size_t size;
};

/* Files of certificates, in PEM; NULL: libcurl's. */
struct http_tls {
    const char *authorities; /* by which the server is checked */
    const char *certificate; /* of the client */
    const char *key;
};

struct http_request {
    const char *url;
    char *const *headers; /* `Name: value`, up to a NULL; or NULL */
    long timeout_ms;
    struct http_tls tls;
    const struct http_part *parts; /* a multipart/form-data body; or NULL: */
    const char *content_type;
    const void *bytes;
    size_t size;
};

struct http_response {
    long status;
    long retry_after;                   /* seconds; 0 if the server says nothing */
    char text[HTTP_POST_TEXT_SIZE];     /* the begin of the answer, or why there is
                                           none */
    size_t length;                      /* of the text */
    char redirect[HTTP_POST_TEXT_SIZE]; /* the address that it names; else empty */
};

/* 0; -ENOTSUP without libcurl. Then `text` says why. */
must_check int http_post_open(struct http_response *response);

/* Whether a text is the URL of a server that this sends to: with http or https. */
must_check int http_post_check(const char *url);

/* 0 for any answer; -EIO without one, and `text` says why. After http_post_open. */
must_check int http_post(const struct http_request *request,
                         struct http_response *response);

/* Writes a text for use in a URL, to be freed; NULL if there is no memory. */
must_check char *http_post_escape(const char *text);

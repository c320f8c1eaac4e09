/* SPDX-License-Identifier: MIT */
/* Where `push` sends profiles: the URL, the headers and the form of a request.
 * Allocates; one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "export/exporter.h"
#include "export/resource.h"
#include "output/http_post.h"

struct push_target {
    const struct exporter *exporter; /* otlp or pprof */
    const char *url;                 /* as the user gave it, or NULL */
    char *address;                   /* whole, for otlp */
    char *shown;                     /* the address for messages: without a password */
    char **headers;                  /* up to a NULL */
    size_t header_count;
    long timeout_ms;
    bool is_compressed; /* otlp, with gzip; pprof always is */
    struct http_tls tls;
};

/* What is sent, and freed by its maker. */
struct push_body {
    char *bytes;
    size_t size;
};

/* Reads what the options do not give from OpenTelemetry's variables. 0; or the exit
 * status after failure_print: 2 if the option's URL is wrong. Must be closed in any
 * case. */
must_check int push_target_open(struct push_target *target);
void push_target_close(struct push_target *target);

/* Sends one profile of a time in nanoseconds. As http_post; bytes of otlp are already
 * compressed if the target says so. */
must_check int push_target_send(const struct push_target *target,
                                const struct resource *resource, uint64_t start,
                                uint64_t end, const struct push_body *body,
                                struct http_response *response);

/* SPDX-License-Identifier: MIT */
/* What a user says of where a profile comes from: attributes of OpenTelemetry's
 * resource, such as service.name. For offline code; allocates; one thread at a time. */
#pragma once

#include <stddef.h>

#include "base/compiler.h"

struct resource_attribute {
    char *key;
    char *value;
};

/* Empty when all zeros. Keys are distinct. */
struct resource {
    struct resource_attribute *attributes;
    size_t count;
    size_t capacity;
};

/* Adds an attribute, or replaces its value. 0 or -ENOMEM. */
must_check int resource_set(struct resource *resource, const char *key,
                            const char *value);

/* Adds the attributes of a text as OTEL_RESOURCE_ATTRIBUTES has them: KEY=VALUE,...
 * with %XX for any character. 0; -EINVAL if it is none, or -ENOMEM: then some may have
 * been added. */
must_check int resource_parse(struct resource *resource, const char *text);

/* The value of an attribute; NULL if there is none. `resource` may be NULL. */
const char *resource_find(const struct resource *resource, const char *key);

void resource_close(struct resource *resource);

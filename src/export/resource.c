/* SPDX-License-Identifier: MIT */
#include "export/resource.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collection/array.h"

static struct resource_attribute *find(const struct resource *resource,
                                       const char *key) {
    for (size_t i = 0; resource != NULL && i < resource->count; i++)
        if (strcmp(resource->attributes[i].key, key) == 0)
            return &resource->attributes[i];
    return NULL;
}

const char *resource_find(const struct resource *resource, const char *key) {
    const struct resource_attribute *attribute = find(resource, key);
    return attribute == NULL ? NULL : attribute->value;
}

static int add(struct resource *resource, char *key, char *value) {
    int error = key == NULL || value == NULL
                    ? -ENOMEM
                    : array_reserve(&resource->attributes, &resource->capacity,
                                    resource->count + 1, sizeof *resource->attributes);
    if (error == 0)
        resource->attributes[resource->count++] =
            (struct resource_attribute){key, value};
    return error;
}

int resource_set(struct resource *resource, const char *key, const char *value) {
    struct resource_attribute *known = find(resource, key);
    char *copy = strdup(value);
    if (known != NULL && copy != NULL) {
        free(known->value);
        known->value = copy;
        return 0;
    }
    char *name = strdup(key);
    int error = known == NULL ? add(resource, name, copy) : -ENOMEM;
    if (error < 0) {
        free(name);
        free(copy);
    }
    return error;
}

static int digit(char c) {
    const char *digits = "0123456789abcdef",
               *at = c == '\0' ? NULL : strchr(digits, c | 0x20);
    return at == NULL || (c < 'A' && c > '9') ? -1 : (int)(at - digits);
}

/* Decodes %XX in place. 0 or -EINVAL. */
static int decode(char *text) {
    char *out = text;
    for (; *text != '\0'; text++) {
        if (*text != '%') {
            *out++ = *text;
            continue;
        }
        int high = digit(text[1]), low = high < 0 ? -1 : digit(text[2]);
        if (low < 0 || high + low == 0)
            return -EINVAL;
        *out++ = (char)(high << 4 | low);
        text += 2;
    }
    *out = '\0';
    return 0;
}

static char *trim(char *text) {
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t", text[length - 1]) != NULL)
        length--;
    text[length] = '\0';
    return text;
}

static int parse_pair(struct resource *resource, char *pair) {
    char *value = strchr(pair, '=');
    if (value == NULL)
        return -EINVAL;
    *value++ = '\0';
    char *key = trim(pair);
    value = trim(value);
    if (*key == '\0' || decode(key) < 0 || decode(value) < 0)
        return -EINVAL;
    return resource_set(resource, key, value);
}

int resource_parse(struct resource *resource, const char *text) {
    char *copy = strdup(text), *rest = copy, *pair;
    int error = copy == NULL ? -ENOMEM : 0;
    while (error == 0 && (pair = strsep(&rest, ",")) != NULL)
        if (*trim(pair) != '\0')
            error = parse_pair(resource, pair);
    free(copy);
    return error;
}

void resource_close(struct resource *resource) {
    for (size_t i = 0; i < resource->count; i++) {
        free(resource->attributes[i].key);
        free(resource->attributes[i].value);
    }
    free(resource->attributes);
    *resource = (struct resource){0};
}

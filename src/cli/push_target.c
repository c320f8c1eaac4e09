/* SPDX-License-Identifier: MIT */
#include "cli/push_target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/failure.h"

static const char default_collector[] = "http://localhost:4318";
static const char default_pyroscope[] = "http://localhost:4040";
enum { DEFAULT_TIMEOUT_MS = 10000, USAGE_ERROR = 2 };

/* How Pyroscope shows the sample types. */
static const char sample_types[] =
    "{\"inuse_space\":{\"units\":\"bytes\",\"aggregation\":\"average\"},"
    "\"inuse_objects\":{\"units\":\"objects\",\"aggregation\":\"average\"},"
    "\"alloc_space\":{\"units\":\"bytes\",\"aggregation\":\"sum\"},"
    "\"alloc_objects\":{\"units\":\"objects\",\"aggregation\":\"sum\"},"
    "\"peak_space\":{\"units\":\"bytes\",\"aggregation\":\"average\"}}";

static bool is_otlp(const struct push_target *target) {
    return target->exporter == &export_otlp;
}

/* The variable of profiles, or the one of all signals. */
static const char *variable(const char *name) {
    char specific[64], general[64];
    snprintf(specific, sizeof specific, "OTEL_EXPORTER_OTLP_PROFILES_%s", name);
    snprintf(general, sizeof general, "OTEL_EXPORTER_OTLP_%s", name);
    const char *value = getenv(specific);
    if (value == NULL || value[0] == '\0')
        value = getenv(general);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static char *join(const char *base, const char *path) {
    size_t length = strlen(base);
    char *whole;
    while (length > 0 && base[length - 1] == '/')
        length--;
    return asprintf(&whole, "%.*s%s", (int)length, base, path) < 0 ? NULL : whole;
}

/* The URL of an option or of the variable of profiles is used as it is; one of all
 * signals is the base of the path. */
static char *otlp_address(const struct push_target *target) {
    if (target->url != NULL)
        return strdup(target->url);
    const char *whole = getenv("OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT");
    if (whole != NULL && whole[0] != '\0')
        return strdup(whole);
    const char *base = variable("ENDPOINT");
    return join(base != NULL ? base : default_collector, "/v1development/profiles");
}

/* Pyroscope's, unless the option has a path. */
static char *ingest_address(const struct push_target *target) {
    const char *base = target->url != NULL ? target->url : default_pyroscope;
    const char *host = strstr(base, "://");
    const char *path = strchr(host != NULL ? host + 3 : base, '/');
    return path != NULL && path[1] != '\0' ? strdup(base) : join(base, "/ingest");
}

static int add_headers(struct push_target *target, const struct resource *pairs) {
    target->headers = calloc(pairs->count + 2, sizeof *target->headers);
    if (target->headers == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < pairs->count; i++) {
        const struct resource_attribute *pair = &pairs->attributes[i];
        if (strpbrk(pair->key, "\r\n:") != NULL || strpbrk(pair->value, "\r\n") != NULL)
            return -EINVAL;
        if (asprintf(&target->headers[i], "%s: %s", pair->key, pair->value) < 0) {
            target->headers[i] = NULL;
            return -ENOMEM;
        }
        target->header_count++;
    }
    return 0;
}

static int read_headers(struct push_target *target) {
    const char *text = variable("HEADERS");
    struct resource pairs = {0};
    int error = text == NULL ? 0 : resource_parse(&pairs, text);
    if (error == 0)
        error = add_headers(target, &pairs);
    resource_close(&pairs);
    if (error == -EINVAL)
        return failure_print("OTEL_EXPORTER_OTLP_HEADERS is not NAME=VALUE,...");
    return error == 0 ? 0 : failure_print("%s", strerror(-error));
}

static int read_timeout(struct push_target *target) {
    const char *text = variable("TIMEOUT");
    char *end;
    target->timeout_ms = DEFAULT_TIMEOUT_MS;
    if (text == NULL)
        return 0;
    errno = 0;
    target->timeout_ms = strtol(text, &end, 10);
    if (errno != 0 || *end != '\0' || target->timeout_ms <= 0)
        return failure_print("OTEL_EXPORTER_OTLP_TIMEOUT is no number of milliseconds");
    return 0;
}

static int read_compression(struct push_target *target) {
    const char *text = variable("COMPRESSION");
    if (text == NULL || strcmp(text, "none") == 0)
        return 0;
    target->is_compressed = strcmp(text, "gzip") == 0;
    if (target->is_compressed) {
        char *header = strdup("Content-Encoding: gzip");
        target->headers[target->header_count++] = header;
        return header != NULL ? 0 : failure_print("%s", strerror(ENOMEM));
    }
    return failure_print("OTEL_EXPORTER_OTLP_COMPRESSION is neither gzip nor none");
}

/* An endpoint of another protocol would not understand this one. */
static int check_protocol(const struct push_target *target) {
    const char *text = variable("PROTOCOL");
    if (target->url != NULL || text == NULL || strcmp(text, "http/protobuf") == 0)
        return 0;
    return failure_print("OTEL_EXPORTER_OTLP_PROTOCOL is %s, but profiles are sent as "
                         "http/protobuf: give a --url for that",
                         text);
}

static int read_variables(struct push_target *target) {
    int status = read_headers(target);
    if (status == 0)
        status = read_timeout(target);
    if (status == 0 && is_otlp(target))
        status = read_compression(target);
    if (status == 0 && is_otlp(target))
        status = check_protocol(target);
    target->tls = (struct http_tls){
        .authorities = variable("CERTIFICATE"),
        .certificate = variable("CLIENT_CERTIFICATE"),
        .key = variable("CLIENT_KEY"),
    };
    return status;
}

/* The address without USER:PASSWORD@; to be freed. */
static char *hide_password(const char *address) {
    const char *host = strstr(address, "://");
    if (host == NULL)
        return strdup(address);
    host += 3;
    const char *at = memrchr(host, '@', strcspn(host, "/?#"));
    char *text;
    if (at == NULL)
        return strdup(address);
    return asprintf(&text, "%.*s%s", (int)(host - address), address, at + 1) < 0 ? NULL
                                                                                 : text;
}

static int find_address(struct push_target *target) {
    target->address = is_otlp(target) ? otlp_address(target) : ingest_address(target);
    if (target->address != NULL)
        target->shown = hide_password(target->address);
    if (target->shown == NULL)
        return failure_print("%s", strerror(ENOMEM));
    if (http_post_check(target->address) == 0)
        return 0;
    int status =
        failure_print("'%s' is not a URL with http:// or https://", target->shown);
    return target->url != NULL ? USAGE_ERROR : status;
}

int push_target_open(struct push_target *target) {
    struct http_response response;
    if (http_post_open(&response) < 0)
        return failure_print("%s", response.text);
    int status = find_address(target);
    return status != 0 ? status : read_variables(target);
}

void push_target_close(struct push_target *target) {
    for (size_t i = 0; i < target->header_count; i++)
        free(target->headers[i]);
    free(target->headers);
    free(target->address);
    free(target->shown);
}

static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

/* A label's name has only letters, digits and underscores; `,`, `=` and braces separate
 * labels, so that a value cannot have them. */
static void put_label(FILE *out, const struct resource_attribute *attribute) {
    for (const char *at = attribute->key; *at != '\0'; at++)
        fputc(is_plain(*at) ? *at : '_', out);
    fputc('=', out);
    for (const char *at = attribute->value; *at != '\0'; at++)
        fputc(strchr(",={}", *at) != NULL ? '_' : *at, out);
}

/* `service{label=value,...}`; to be freed. */
static char *application(const struct resource *resource) {
    const char *service = resource_find(resource, "service.name"), *separator = "{";
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    fputs(service != NULL ? service : "unknown_service:python", out);
    for (size_t i = 0; i < resource->count; i++) {
        if (strcmp(resource->attributes[i].key, "service.name") == 0)
            continue;
        fputs(separator, out);
        put_label(out, &resource->attributes[i]);
        separator = ",";
    }
    if (separator[0] == ',')
        fputc('}', out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* The address with what is sent, for Pyroscope; to be freed. */
static char *ingest_url(const struct push_target *target,
                        const struct resource *resource, uint64_t start, uint64_t end) {
    static const uint64_t second = 1000000000;
    char *name = application(resource), *url = NULL;
    char *escaped = name == NULL ? NULL : http_post_escape(name);
    if (escaped != NULL &&
        asprintf(&url,
                 "%s%cname=%s&from=%" PRIu64 "&until=%" PRIu64
                 "&format=pprof&spyName=libtracemalloc",
                 target->address, strchr(target->address, '?') != NULL ? '&' : '?',
                 escaped, start / second, end / second + 1) < 0)
        url = NULL;
    free(escaped);
    free(name);
    return url;
}

static int send_form(const struct push_target *target, const char *url,
                     const struct push_body *body, struct http_response *response) {
    const struct http_part parts[] = {
        {"profile", "profile.pb.gz", "application/octet-stream", body->bytes,
         body->size},
        {"sample_type_config", "sample_type_config.json", "application/json",
         sample_types, sizeof sample_types - 1},
        {0},
    };
    const struct http_request request = {.url = url,
                                         .headers = target->headers,
                                         .timeout_ms = target->timeout_ms,
                                         .tls = target->tls,
                                         .parts = parts};
    return http_post(&request, response);
}

int push_target_send(const struct push_target *target, const struct resource *resource,
                     uint64_t start, uint64_t end, const struct push_body *body,
                     struct http_response *response) {
    if (is_otlp(target)) {
        const struct http_request request = {.url = target->address,
                                             .headers = target->headers,
                                             .timeout_ms = target->timeout_ms,
                                             .tls = target->tls,
                                             .content_type = "application/x-protobuf",
                                             .bytes = body->bytes,
                                             .size = body->size};
        return http_post(&request, response);
    }
    char *url = ingest_url(target, resource, start, end);
    if (url == NULL) {
        *response = (struct http_response){0};
        snprintf(response->text, sizeof response->text, "%s", strerror(ENOMEM));
        return -EIO;
    }
    int error = send_form(target, url, body, response);
    free(url);
    return error;
}

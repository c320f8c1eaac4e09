/* SPDX-License-Identifier: MIT */
#include "output/http_post.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/curl_library.h"

static const struct curl_library *libcurl;

int http_post_open(struct http_response *response) {
    *response = (struct http_response){0};
    libcurl = curl_library_load();
    if (libcurl != NULL)
        return 0;
    snprintf(response->text, sizeof response->text,
             "this needs libcurl, which is not installed (Debian: libcurl4)");
    return -ENOTSUP;
}

int http_post_check(const char *url) {
    char *scheme = NULL;
    CURLU *parsed = libcurl->url();
    if (parsed == NULL)
        return -ENOMEM;
    int error = -EINVAL;
    if (libcurl->url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
        libcurl->url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0))
        error = 0;
    libcurl->free(scheme);
    libcurl->url_cleanup(parsed);
    return error;
}

/* libcurl calls it with the answer's body, of which the rest is dropped. */
static size_t keep_text(char *bytes, size_t unit, size_t size, void *user) {
    struct http_response *response = user;
    size_t left = sizeof response->text - 1 - response->length;
    size_t kept = size * unit < left ? size * unit : left;
    memcpy(response->text + response->length, bytes, kept);
    response->length += kept;
    response->text[response->length] = '\0';
    return size * unit;
}

/* Adds a header. Returns false, and frees the list, if there is no memory. */
static bool append(struct curl_slist **list, const char *header) {
    struct curl_slist *longer = libcurl->slist_append(*list, header);
    if (longer == NULL)
        libcurl->slist_free_all(*list);
    *list = longer;
    return longer != NULL;
}

/* NULL if there is no memory. Without `Expect:` libcurl would wait for a server's
 * permission to send the body. */
static struct curl_slist *make_headers(const struct http_request *request) {
    char type[HTTP_POST_TEXT_SIZE];
    struct curl_slist *list = NULL;
    if (!append(&list, "Expect:"))
        return NULL;
    if (request->parts == NULL) {
        snprintf(type, sizeof type, "Content-Type: %s", request->content_type);
        if (!append(&list, type))
            return NULL;
    }
    for (char *const *header = request->headers; header != NULL && *header != NULL;
         header++)
        if (!append(&list, *header))
            return NULL;
    return list;
}

static CURLcode add_part(curl_mime *form, const struct http_part *part) {
    curl_mimepart *added = libcurl->mime_addpart(form);
    if (added == NULL)
        return CURLE_OUT_OF_MEMORY;
    CURLcode code = libcurl->mime_name(added, part->name);
    if (code == CURLE_OK)
        code = libcurl->mime_filename(added, part->filename);
    if (code == CURLE_OK)
        code = libcurl->mime_type(added, part->content_type);
    return code == CURLE_OK ? libcurl->mime_data(added, part->bytes, part->size) : code;
}

static curl_mime *make_form(CURL *curl, const struct http_part *parts) {
    curl_mime *form = libcurl->mime_init(curl);
    CURLcode code = CURLE_OK;
    for (; form != NULL && code == CURLE_OK && parts->name != NULL; parts++)
        code = add_part(form, parts);
    if (code == CURLE_OK)
        return form;
    libcurl->mime_free(form);
    return NULL;
}

static void set_tls(CURL *curl, const struct http_tls *tls) {
    if (tls->authorities != NULL)
        libcurl->easy_setopt(curl, CURLOPT_CAINFO, tls->authorities);
    if (tls->certificate != NULL)
        libcurl->easy_setopt(curl, CURLOPT_SSLCERT, tls->certificate);
    if (tls->key != NULL)
        libcurl->easy_setopt(curl, CURLOPT_SSLKEY, tls->key);
}

static void set_options(CURL *curl, const struct http_request *request,
                        struct http_response *response) {
    libcurl->easy_setopt(curl, CURLOPT_URL, request->url);
    libcurl->easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    libcurl->easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->timeout_ms);
    libcurl->easy_setopt(curl, CURLOPT_USERAGENT, "libtracemalloc");
    libcurl->easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    libcurl->easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_text);
    libcurl->easy_setopt(curl, CURLOPT_WRITEDATA, response);
    set_tls(curl, &request->tls);
    if (request->parts != NULL)
        return;
    libcurl->easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
    libcurl->easy_setopt(curl, CURLOPT_POSTFIELDS, request->bytes);
}

static void read_head(CURL *curl, struct http_response *response) {
    curl_off_t seconds = 0;
    const char *redirect = NULL;
    libcurl->easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response->status);
    libcurl->easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
    libcurl->easy_getinfo(curl, CURLINFO_REDIRECT_URL, &redirect);
    response->retry_after = seconds > 0 ? (long)seconds : 0;
    snprintf(response->redirect, sizeof response->redirect, "%s",
             redirect != NULL ? redirect : "");
}

static int perform(CURL *curl, struct http_response *response) {
    char why[CURL_ERROR_SIZE] = "";
    libcurl->easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    CURLcode code = libcurl->easy_perform(curl);
    if (code == CURLE_OK) {
        read_head(curl, response);
        return 0;
    }
    snprintf(response->text, sizeof response->text, "%s",
             why[0] != '\0' ? why : libcurl->easy_strerror(code));
    return -EIO;
}

static int post(CURL *curl, const struct http_request *request,
                struct http_response *response) {
    struct curl_slist *headers = make_headers(request);
    curl_mime *form = request->parts == NULL ? NULL : make_form(curl, request->parts);
    int error = -EIO;
    snprintf(response->text, sizeof response->text, "%s", strerror(ENOMEM));
    if (headers != NULL && (form != NULL || request->parts == NULL)) {
        response->text[0] = '\0';
        set_options(curl, request, response);
        libcurl->easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        if (form != NULL)
            libcurl->easy_setopt(curl, CURLOPT_MIMEPOST, form);
        error = perform(curl, response);
    }
    libcurl->mime_free(form);
    libcurl->slist_free_all(headers);
    return error;
}

int http_post(const struct http_request *request, struct http_response *response) {
    *response = (struct http_response){0};
    CURL *curl = libcurl->easy_init();
    if (curl == NULL) {
        snprintf(response->text, sizeof response->text, "%s", strerror(ENOMEM));
        return -EIO;
    }
    int error = post(curl, request, response);
    libcurl->easy_cleanup(curl);
    return error;
}

char *http_post_escape(const char *text) {
    char *escaped = libcurl->easy_escape(NULL, text, (int)strlen(text));
    char *copy = escaped == NULL ? NULL : strdup(escaped);
    libcurl->free(escaped);
    return copy;
}

/* SPDX-License-Identifier: MIT */
#include "cli/push_sender.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/stop_signals.h"
#include "export/gzip_writer.h"
#include "export/otlp_answer.h"
#include "output/failure.h"
#include "output/progress.h"

enum {
    MAX_ATTEMPTS = 6,
    MAX_WAIT = 60,   /* seconds */
    MAX_PARTS = 4096 /* of one profile, when the server finds it too large */
};

static const uint64_t second = 1000000000;

static bool is_busy(const struct http_response *response) {
    return response->status == 429 ||
           (response->status >= 502 && response->status <= 504);
}

/* Waits as long as the server asks for, else twice as long as the time before. Returns
 * false if that is too long, or the user has no time. */
static bool wait_for(const struct http_response *response, int attempt) {
    long seconds = response->retry_after > 0 ? response->retry_after : 1L << attempt;
    if (seconds > MAX_WAIT)
        return false;
    progress_say("the server is busy: waiting for %ld s", seconds);
    return !stop_signals_wait((uint64_t)seconds * second);
}

static int send_once(const struct push_sender *sender, const struct export_input *input,
                     const struct push_body *body, struct http_response *response) {
    uint64_t start = UINT64_MAX, end = 0;
    for (uint32_t i = 0; i < input->reader->process_count; i++) {
        uint64_t since = export_input_since(input, i);
        uint64_t until = export_input_time(input, i);
        start = since < start ? since : start;
        end = until > end ? until : end;
    }
    progress_say("sending %zu bytes", body->size);
    return push_target_send(sender->target, input->resource, start, end, body,
                            response);
}

static int send_body(struct push_sender *sender, const struct export_input *input,
                     const struct push_body *body, struct http_response *response) {
    for (int attempt = 0;; attempt++) {
        int error = send_once(sender, input, body, response);
        if (error < 0 || !is_busy(response))
            return error;
        sender->retry_after = response->retry_after;
        if (attempt + 1 == MAX_ATTEMPTS || !wait_for(response, attempt))
            return error;
    }
}

static int explain_busy(const char *url, const struct http_response *response) {
    if (response->retry_after > MAX_WAIT)
        return failure_print("%s: busy: HTTP %ld, to be asked again in %ld s", url,
                             response->status, response->retry_after);
    return failure_print("%s: still busy: HTTP %ld", url, response->status);
}

static int explain(const struct push_sender *sender, int error,
                   struct http_response *response) {
    const char *url = sender->target->shown;
    response->text[strcspn(response->text, "\r\n")] = '\0';
    if (error < 0)
        return failure_print("%s: %s", url, response->text);
    if (is_busy(response))
        return explain_busy(url, response);
    if (response->redirect[0] != '\0')
        return failure_print("%s: redirected to %s: HTTP %ld", url, response->redirect,
                             response->status);
    return failure_print("%s: refused: HTTP %ld%s%s", url, response->status,
                         response->text[0] != '\0' ? ": " : "", response->text);
}

/* A Collector may take a request and reject profiles of it. */
static int check_answer(const struct push_sender *sender,
                        const struct http_response *response) {
    const char *url = sender->target->shown;
    char reason[HTTP_POST_TEXT_SIZE];
    if (sender->target->exporter != &export_otlp)
        return 0;
    int64_t rejected =
        otlp_answer_read(response->text, response->length, reason, sizeof reason);
    if (rejected < 0)
        return failure_print("%s: the answer is not that of a Collector", url);
    if (rejected > 0)
        return failure_print("%s: %" PRId64 " profiles were rejected: %s", url,
                             rejected, reason);
    return 0;
}

static int compress_body(struct push_body *body) {
    struct push_body smaller = {0};
    struct gzip_writer *gzip = malloc(sizeof *gzip);
    FILE *stream = gzip == NULL ? NULL : open_memstream(&smaller.bytes, &smaller.size);
    int error = stream == NULL ? -ENOMEM : gzip_writer_open(gzip, stream);
    if (error == 0) {
        gzip_writer_put(gzip, body->bytes, body->size);
        error = gzip_writer_close(gzip);
    }
    if (stream != NULL && fclose(stream) != 0 && error == 0)
        error = -ENOMEM;
    free(gzip);
    free(error == 0 ? body->bytes : smaller.bytes);
    if (error == 0)
        *body = smaller;
    return error;
}

static int write_body(const struct push_sender *sender, struct export_input *input,
                      struct push_body *body) {
    FILE *stream = open_memstream(&body->bytes, &body->size);
    if (stream == NULL)
        return -ENOMEM;
    int error = sender->target->exporter->write(input, stream);
    if (fclose(stream) != 0 && error == 0)
        error = -ENOMEM;
    return error == 0 && sender->target->is_compressed ? compress_body(body) : error;
}

/* Sends the part `part` of `parts`; where that is too large for the server, each half
 * of it. */
static int send_part(struct push_sender *sender, struct export_input *input,
                     size_t part, size_t parts) {
    struct http_response response;
    struct push_body body = {0};
    input->part = part;
    input->parts = parts;
    int error = write_body(sender, input, &body);
    if (error < 0) {
        free(body.bytes);
        return failure_print("%s: %s", sender->name, strerror(-error));
    }
    error = send_body(sender, input, &body, &response);
    free(body.bytes);
    if (error < 0 || (response.status != 413 && response.status / 100 != 2) ||
        (response.status == 413 && parts == MAX_PARTS))
        return explain(sender, error, &response);
    if (response.status != 413)
        return check_answer(sender, &response);
    int status = send_part(sender, input, part, 2 * parts);
    return status != 0 ? status : send_part(sender, input, part + parts, 2 * parts);
}

int push_sender_send(struct push_sender *sender, struct export_input *input) {
    sender->retry_after = 0;
    return send_part(sender, input, 0, 1);
}

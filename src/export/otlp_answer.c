/* SPDX-License-Identifier: MIT */
#include "export/otlp_answer.h"

#include <errno.h>
#include <otlp.pb-c.h>
#include <stdio.h>

int64_t otlp_answer_read(const void *bytes, size_t size, char *text, size_t text_size) {
    Otlp__ExportResponse *response = otlp__export_response__unpack(NULL, size, bytes);
    if (response == NULL)
        return -EBADMSG;
    const Otlp__PartialSuccess *partial = response->partial_success;
    int64_t rejected = 0;
    if (partial != NULL && partial->rejected_profiles > 0) {
        rejected = partial->rejected_profiles;
        snprintf(text, text_size, "%s", partial->error_message);
    }
    otlp__export_response__free_unpacked(response, NULL);
    return rejected;
}

/* SPDX-License-Identifier: MIT */
#include "export/proto_buffer.h"

#include <stdlib.h>
#include <string.h>

#include "collection/array.h"

static void append(ProtobufCBuffer *base, size_t size, const uint8_t *bytes) {
    struct proto_buffer *buffer = (struct proto_buffer *)base;
    if (buffer->failed ||
        array_reserve(&buffer->bytes, &buffer->capacity, buffer->size + size, 1) < 0) {
        buffer->failed = true;
        return;
    }
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

void proto_buffer_open(struct proto_buffer *buffer) {
    *buffer = (struct proto_buffer){.base = {append}};
}

void proto_buffer_close(struct proto_buffer *buffer) {
    free(buffer->bytes);
    *buffer = (struct proto_buffer){0};
}

void proto_buffer_pack(struct proto_buffer *buffer, const ProtobufCMessage *message) {
    protobuf_c_message_pack_to_buffer(message, &buffer->base);
}

/* SPDX-License-Identifier: MIT */
/* Packs messages of protobuf-c one after the other: parts of one message, because
 * concatenated messages are one. protobuf-c's own buffer loses bytes without a word if
 * there is no memory.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proto_buffer {
    ProtobufCBuffer base;
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    bool failed; /* no memory: some bytes are missing */
};

void proto_buffer_open(struct proto_buffer *buffer);
void proto_buffer_close(struct proto_buffer *buffer);

void proto_buffer_pack(struct proto_buffer *buffer, const ProtobufCMessage *message);

/* The bytes, which stay the buffer's, as a field of another message. */
static inline ProtobufCBinaryData proto_buffer_data(const struct proto_buffer *buffer) {
    return (ProtobufCBinaryData){.len = buffer->size, .data = buffer->bytes};
}

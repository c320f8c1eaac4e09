/* SPDX-License-Identifier: MIT */
/* The resource of a process in OTLP: what the user says of it, and what its dump and
 * this machine know. For offline code; allocates; one thread at a time. */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "export/export_input.h"
#include "export/proto_buffer.h"

/* Packs a message Resource. 0 or -ENOMEM. */
must_check int otlp_resource_pack(struct proto_buffer *buffer,
                                  const struct export_input *input, uint32_t process);

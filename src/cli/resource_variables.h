/* SPDX-License-Identifier: MIT */
/* The attributes that OpenTelemetry's variables OTEL_RESOURCE_ATTRIBUTES and
 * OTEL_SERVICE_NAME give. Allocates; one thread. */
#pragma once

#include "base/compiler.h"
#include "export/resource.h"

/* A list that cannot be read is ignored, as the specification asks, with a note on
 * stderr. 0, or 1 after failure_print. The caller closes the resource in any case. */
must_check int resource_variables_read(struct resource *resource);

/* SPDX-License-Identifier: MIT */
#include "cli/resource_variables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output/failure.h"

static int read_attributes(struct resource *resource) {
    const char *text = getenv("OTEL_RESOURCE_ATTRIBUTES");
    int error = text == NULL ? 0 : resource_parse(resource, text);
    if (error != -EINVAL)
        return error;
    resource_close(resource);
    failure_note("OTEL_RESOURCE_ATTRIBUTES is ignored: it is not KEY=VALUE,...");
    return 0;
}

int resource_variables_read(struct resource *resource) {
    const char *service = getenv("OTEL_SERVICE_NAME");
    int error = read_attributes(resource);
    if (error == 0 && service != NULL && service[0] != '\0')
        error = resource_set(resource, "service.name", service);
    return error == 0 ? 0 : failure_print("%s", strerror(-error));
}

/* SPDX-License-Identifier: MIT */
#include "base/build.h"

#include <build_commit.h> /* generated */

const char build_version[] = BUILD_VERSION;
const char build_description[] = BUILD_COMMIT ", " BUILD_DETAILS;
const char build_machine[] = BUILD_MACHINE;

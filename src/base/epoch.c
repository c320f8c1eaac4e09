/* SPDX-License-Identifier: MIT */
#include "base/epoch.h"

uint32_t epoch_now = 1;

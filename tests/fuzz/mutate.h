/* Mutations of bytes, drawn from a numbered stream: mutation i of a seed is always the same.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

/**
 * fuzz_mutate:
 * @seeds: (element-type GBytes): what to begin with and to take pieces from; at least one
 * @number: which execution this is
 * @most: bytes that the result may have
 */
GByteArray *fuzz_mutate (const GPtrArray *seeds, guint64 seed, guint64 number, guint most);

/* Operators that the framework itself brings and needs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

/* feed: a tensor given from outside. Attributes as other stages read them. */
typedef struct
{
  const char *signature;
  gboolean gradient;
} WeftFeed;

extern const WeftOperator weft_feed_operator;
extern const WeftOperator weft_sum_operator;
extern const WeftOperator weft_one_operator;

extern const WeftOperator *const weft_core_operators[]; /* NULL-terminated */

G_END_DECLS

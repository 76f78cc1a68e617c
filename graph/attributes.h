/* Attribute values: YAML to an operator's own struct.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

/**
 * weft_attributes_store:
 * @given: (nullable): a map that may hold values for the operator's attributes under their names; other keys are not looked at
 *
 * Allocates @node's attributes and fills them from @given or from defaults; schedules are noted in node->scheduled. Required
 * attributes that are missing, wrong types and values out of range are problems.
 */
gboolean weft_attributes_store (WeftNode *node, const WeftValue *given, WeftProblems *problems);

const WeftAttribute *weft_operator_attribute (const WeftOperator *op, const char *name);

/* Whether it is a path at which the operator writes. */
gboolean weft_attribute_is_written (const WeftAttribute *attribute);

/* Stores a number, a rounded integer or a truth value: what schedules do before each step. */
void weft_attribute_store_number (gpointer attributes, const WeftAttribute *attribute, double number);

/* The current value of an attribute as YAML would spell it. */
char *weft_attribute_print (const WeftAttribute *attribute, gconstpointer attributes);

G_END_DECLS

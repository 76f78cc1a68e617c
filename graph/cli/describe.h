/* Descriptors written out: for reading, for programs, for the manual.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <json-glib/json-glib.h>
#include <stdio.h>

#include "document.h"
#include "registry.h"

G_BEGIN_DECLS

/* Name of the module that @op is of; "core" for the library's own. */
const char *weft_describe_room (const WeftOperator *op);
/* What `[…]` stands behind a port in listings: "optional, read by backward"; "" for nothing. */
char *weft_describe_flags (const WeftPort *port);
/* "integer, 1 to 8, default 2, in regions" */
char *weft_describe_attribute (const WeftAttribute *attribute);
/* Whether and how gradients flow through @op, one line. */
char *weft_describe_gradient (const WeftOperator *op);

void weft_describe_operator_text (const WeftOperator *op, FILE *to);
void weft_describe_operator_json (const WeftOperator *op, JsonBuilder *builder);
void weft_describe_operator_markdown (const WeftOperator *op, FILE *to);
void weft_describe_module_text (const WeftLoaded *loaded, FILE *to);
void weft_describe_module_json (const WeftLoaded *loaded, gboolean operators, JsonBuilder *builder);
/* A module of the pipeline language: its inputs, attributes, nodes and outputs. */
void weft_describe_body_text (const char *name, const char *file, const WeftValue *body, FILE *to);
void weft_describe_body_json (const char *name, const char *file, const WeftValue *body, JsonBuilder *builder);

G_END_DECLS

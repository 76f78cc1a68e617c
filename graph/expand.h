/* What nodes of a document become: operator nodes of the graph, or bodies of nodes in scopes of their own. Each kind of node has its file.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "scope.h"

G_BEGIN_DECLS

/* Of all graphs together, bodies of modules counted wherever they are used: repetitions within repetitions multiply. */
#define WEFT_MOST_NODES 20000

/* The nodes of one body; @kept: (nullable): references to nodes that leave it: a module's outputs, what a graph collects. */
void weft_expand_nodes (WeftScope *scope, WeftValue *nodes, const WeftValue *kept);
/* Node @name, of whatever kind. */
void weft_expand_kind (WeftScope *scope, const char *name, WeftMark key_mark, WeftValue *map);
/* Keys of an operator node beside its ports and attributes are mistakes. */
void weft_expand_check_keys (const WeftNode *node, const WeftValue *map, WeftProblems *problems);

/* Kinds of nodes with a body: instances of modules, uses of networks, operators without kernels. */
void weft_expand_module (WeftScope *scope, const char *name, WeftValue *map, WeftMark mark);
void weft_expand_use (WeftScope *scope, const char *name, WeftValue *map, WeftMark mark);
void weft_expand_composition (WeftScope *scope, const char *name, const WeftOperator *op, WeftValue *map, WeftMark mark);

/* What they share. */

/* A mistake in node @name was told: what refers to it is silent. */
void weft_expand_nothing (WeftScope *scope, const char *name, WeftMark mark);
/* The module of that name; (nullable): there is none, which was told. */
WeftValue *weft_expand_find_module (WeftScope *scope, const WeftValue *name);
/**
 * weft_expand_attributes:
 * @declared: (nullable): a module's defaults; null where a value must be given
 * @inputs: (nullable): other keys that @given may have
 * @reserved: further ones
 *
 * Returns: (transfer full): the attributes of an instance: the defaults, overlaid with what was given
 */
WeftValue *weft_expand_attributes (WeftScope *scope, const char *module, const char *name, const WeftValue *declared,
                                   const WeftValue *inputs, const WeftValue *given, const char *const *reserved, WeftMark mark);
/* Makes instance @name of @body in a scope of its own; the caller binds its inputs and expands its nodes. */
WeftEntity *weft_expand_body (WeftScope *scope, const char *name, const char *what, WeftValue *body, WeftValue *attributes, WeftMark mark);
/* Input @input of @instance is what @reference means in @outer. */
void weft_expand_bind (WeftEntity *instance, const char *input, WeftScope *outer, WeftValue *reference);
/* Binds all declared @inputs to what @given says. */
void weft_expand_bind_all (WeftEntity *instance, WeftScope *scope, const WeftValue *inputs, const WeftValue *given, WeftMark mark);
/* Returns: (transfer full): ", did you mean …" of the keys of two maps (nullable) and of @words (nullable), or "" */
char *weft_expand_hint (const char *key, const WeftValue *first, const WeftValue *second, const char *const *words);

G_END_DECLS

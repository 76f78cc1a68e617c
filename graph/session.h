/* Pipelines in a program: load a pipeline or a run directory, feed tensors, step, read outputs.
 *
 *     g_autoptr (WeftSession) session = weft_session_open ("runs/user-f30k", NULL, NULL, 0, &error);
 *     weft_session_want (session, "encode.v.y", &error);
 *     weft_session_feed (session, "encode.regions", &regions, &error);
 *     weft_session_step (session, "encode", NULL, &error);
 *     const WeftTensor *embedding = weft_session_value (session, "encode.v.y");
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/tensor.h>

G_BEGIN_DECLS

typedef struct _WeftSession WeftSession;

/**
 * weft_session_open:
 * @path: a pipeline file, the name of an installed pipeline, or a run directory, whose best model is loaded
 * @settings: (nullable) (array zero-terminated=1): `path=value`, as on the command line
 * @phase: (nullable): "evaluate" or "validate": whose `vars:` are set before @settings
 * @threads: 0: as many as the process may run on
 *
 * The graph that the run section trains is left out. Operators are loaded if they have not been.
 *
 * Returns: (transfer full) (nullable)
 */
WeftSession *weft_session_open (const char *path, const char *const *settings, const char *phase, guint threads, GError **error);
void weft_session_free (WeftSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSession, weft_session_free)

/* What there is to name: the graphs, the feeds of a graph, and the parameters and states of the pipeline, by their paths. (transfer full) */
char **weft_session_graphs (WeftSession *session);
char **weft_session_feeds (WeftSession *session, const char *graph, GError **error);
char **weft_session_weights (WeftSession *session);

/* (nullable): a parameter or state, as it is now. */
const WeftTensor *weft_session_weight (WeftSession *session, const char *path);

/* References are "GRAPH.NODE", "GRAPH.NODE.PORT", or "GRAPH.NAME" of what a graph collects; "~gradient" after one, or after "GRAPH." and the path
 * of a parameter, stands for the gradient of what the graph minimizes by it. What is wanted must be said before a graph's first feed or step. */
gboolean weft_session_want (WeftSession *session, const char *reference, GError **error);
/* @tensor is read in the following steps and must stay valid until they are done. */
gboolean weft_session_feed (WeftSession *session, const char *reference, const WeftTensor *tensor, GError **error);
/**
 * weft_session_step:
 * @exhausted: (out) (optional): whether the pass of the graph's source is over, so that nothing was computed; the next step begins anew
 */
gboolean weft_session_step (WeftSession *session, const char *graph, gboolean *exhausted, GError **error);
/* (nullable): valid until the next step of its graph. */
const WeftTensor *weft_session_value (WeftSession *session, const char *reference);

/* What `run: encode:` names, and the reference behind a name, "GRAPH.NAME" of what the graph collects; (nullable). */
const char *const *weft_session_encodings (WeftSession *session);
const char *weft_session_encoding (WeftSession *session, const char *name);

/**
 * WeftSource: what a graph iterates over
 * @node: its name in the graph
 * @attributes: (array zero-terminated=1): names of its operator's attributes
 * @values: (array zero-terminated=1): what they are, as text
 * @defaults: (array zero-terminated=1): what they are where nobody says anything; empty if somebody has to
 * @outputs: (array zero-terminated=1): names of its operator's outputs
 * @reads: (array zero-terminated=1): those of them that the graph reads
 */
typedef struct
{
  char *node, **attributes, **values, **defaults, **outputs, **reads;
} WeftSource;

WeftSource *weft_session_source (WeftSession *session, const char *graph); /* (transfer full) (nullable): a graph without source */
void weft_source_free (WeftSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSource, weft_source_free)

/**
 * weft_session_describe:
 * @tensor: (out): type and sizes at their bounds, without data; ragged values have @samples set
 *
 * Returns: whether there is such a value
 */
gboolean weft_session_describe (WeftSession *session, const char *reference, WeftTensor *tensor);

/**
 * weft_session_replace_source:
 * @graph: a graph with a source, before its first step
 *
 * Lets the caller give what the graph reads of its source, item by item: weft_session_feed() takes "GRAPH.SOURCE.PORT" then, and a step
 * computes what was fed. The source's files are not opened.
 */
gboolean weft_session_replace_source (WeftSession *session, const char *graph, GError **error);

G_END_DECLS

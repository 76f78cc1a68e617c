/* A run's encoders, for whole data sets and for single queries.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/session.h>

#include "index.h"

G_BEGIN_DECLS

/**
 * Encoding: one entry of `run: encode:`
 * @name: "images"
 * @graph, @reference: where it is computed, "images" and "images.embedding"
 * @source: what its graph iterates over
 * @text: (nullable): of the source's outputs that the graph reads, the one that holds text; %NULL: the items are not text
 */
typedef struct
{
  char *name, *graph, *reference, *text;
  WeftSource *source;
} Encoding;

/* What @session can encode, in the order of `run: encode:`; (element-type Encoding); %NULL with an error if there is nothing. */
GPtrArray *encodings_of (WeftSession *session, GError **error);
/* The first that reads text, or doesn't; (nullable). */
const Encoding *encodings_first (const GPtrArray *encodings, gboolean text);

/* What the attribute @name of an encoding's source is, as text; (nullable): it has none of this name, or nothing. */
const char *encoding_attribute (const Encoding *encoding, const char *name);

/**
 * encoding_redirect:
 * @settings: (element-type utf8): grows
 *
 * Adds the settings that let an encoding's source read all of the folder @path: what chose among its own files goes back to its default.
 *
 * Returns: %FALSE if the source reads no files
 */
gboolean encoding_redirect (const Encoding *encoding, const char *path, GPtrArray *settings);

/**
 * Encoder: one encoding whose items are given by the caller
 * @width: of embeddings
 */
typedef struct
{
  WeftSession *session;
  GPtrArray *encodings;
  const Encoding *encoding;
  char *input; /* reference to feed */
  gint64 width;
} Encoder;

/* Opens the run of an index, for text or for arrays of features. */
Encoder *encoder_open (const char *run, const char *const *settings, gboolean text, guint threads, GError **error);
void encoder_free (Encoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Encoder, encoder_free)
/* How many items fit into one call. */
gint64 encoder_batch (const Encoder *encoder);
/* @embeddings: (out): [n, width] */
gboolean encoder_texts (Encoder *encoder, const char *const *texts, gint64 n, float *embeddings, GError **error);
/* The features of one item: float32 [regions, width], or what else the encoder reads. */
gboolean encoder_features (Encoder *encoder, const WeftTensor *features, float *embedding, GError **error);

/* The embedding of a picture, or of features in a `.npy` file; (transfer full) (nullable), @width numbers. */
float *encode_image (const char *run, const char *const *settings, const char *path, guint threads, gint64 *width, GError **error);

G_END_DECLS

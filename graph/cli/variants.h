/* Variants of a pipeline: itself, its ablations, the values of a matrix.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "cli.h"

G_BEGIN_DECLS

/**
 * WeftVariant:
 * @name: "base", "no-sge", "momentum rate=0.9"
 * @overlays, @settings: what it is made with, those of the command line included, %NULL last
 * @axis, @value: (nullable): what of a matrix it is, and the value as a number where it is one, else its position
 * @asked: whether somebody named it; what nobody named and doesn't apply is passed over
 */
typedef struct
{
  char *name;
  char **overlays, **settings;
  char *axis, *label;
  double value;
  gboolean asked;
} WeftVariant;

/**
 * weft_variants_new:
 * @only: (nullable): names of ablations, separated by commas: the pipeline's own, files, or files of a folder `ablations`
 * @matrix: whether only what has a `matrix:` is wanted (`sweep`); otherwise what @only names, or the pipeline's own ablations, or, if it
 *   has none, the files of its folders `ablations` that have no `matrix:`
 *
 * The base comes first. Returns: (element-type WeftVariant) (nullable): %NULL after a message
 */
GPtrArray *weft_variants_new (const char *pipeline, const WeftCommonOptions *common, const char *only, gboolean matrix);

G_END_DECLS

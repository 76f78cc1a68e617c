/* Data sets of the tests of region_features. They tell where a value came from: region r of image i holds 100 i + r in column 0, and the
 * column's number in the others; caption c is "caption c".
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <math.h>

#include "folder.h"
#include "npy.h"

static inline void
save (const char *name, WeftType type, gconstpointer data, guint rank, const gint64 *shape)
{
  g_autofree char *path = g_build_filename (folder, name, NULL), *parent = g_path_get_dirname (path);
  WeftTensor tensor = { .type = type, .rank = rank, .data = (gpointer) data };
  memcpy (tensor.shape, shape, rank * sizeof (gint64));
  ck_assert_int_eq (g_mkdir_with_parents (parent, 0700), 0);
  ck_assert (weft_npy_write (path, &tensor, NULL));
}

static inline float *
numbered (gint64 images, gint64 regions, gint64 width)
{
  float *values = g_new (float, images *regions *width);
  for (gint64 i = 0; i < images * regions; i++)
    for (gint64 d = 0; d < width; d++)
      values[i * width + d] = d == 0 ? (float) (100 * (i / regions) + i % regions) : (float) d;
  return values;
}

static inline void
save_regions (const char *name, gint64 images, gint64 regions, gint64 width)
{
  g_autofree float *values = numbered (images, regions, width);
  save (name, WEFT_F32, values, 3, (gint64[]){ images, regions, width });
}

static inline void
save_captions (const char *name, guint n)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "caption %u\n", i);
  rig_write (folder, name, text->str, (gssize) text->len);
}

/* A graph with one source and all that is asked of it. */
static inline char *
yaml (const char *attributes, const char *collect)
{
  return g_strdup_printf (
      "graphs:\n  train:\n    mode: train\n    nodes:\n      pairs: {op: region_features, path: '%s', %s}\n    collect: {%s}\n", folder,
      attributes, collect);
}

static inline void
start (Rig *rig, const char *attributes, const char *collect)
{
  g_autofree char *text = yaml (attributes, collect);
  rig_start (rig, text);
}

static inline void
expect_failure (const char *attributes, const char *collect, const char *message)
{
  g_autofree char *text = yaml (attributes, collect);
  rig_expect_failure (text, message);
}

#define ALL "r: pairs.regions, t: pairs.captions, i: pairs.image, c: pairs.caption"

/* Checks that regions and captions are those of the numbers beside them. Returns: number of items. */
static inline gint64
check_batch (Rig *rig, gint64 captions_per_image)
{
  const WeftTensor *regions = rig_value (rig, "pairs.regions"), *captions = rig_value (rig, "pairs.captions");
  const gint32 *image = rig_value (rig, "pairs.image")->data, *caption = rig_value (rig, "pairs.caption")->data;
  gint64 n = rig_value (rig, "pairs.image")->shape[0];
  ck_assert_int_eq (regions->samples, n);
  ck_assert_int_eq (captions->samples, n);
  for (gint64 i = 0; i < n; i++)
    {
      g_autofree char *expected = g_strdup_printf ("caption %d", caption[i]);
      g_autofree char *found =
          g_strndup ((char *) captions->data + captions->offsets[i], (gsize) (captions->offsets[i + 1] - captions->offsets[i]));
      ck_assert_str_eq (found, expected);
      ck_assert_int_eq (image[i], caption[i] / captions_per_image);
      for (gint32 r = regions->offsets[i]; r < regions->offsets[i + 1]; r++)
        {
          const float *row = (const float *) regions->data + r * regions->shape[1];
          ck_assert_float_eq (row[0], (float) (100 * image[i] + r - regions->offsets[i]));
          ck_assert_float_eq (row[regions->shape[1] - 1], (float) (regions->shape[1] - 1));
        }
    }
  return n;
}

/* Collects the captions' numbers of one pass. */
static inline guint
run_pass (Rig *rig, guint64 epoch, gint32 *order, guint room)
{
  guint n = 0;
  while (rig_step (rig, n, epoch))
    {
      gint64 count = check_batch (rig, 5);
      ck_assert_uint_le (n + count, room);
      memcpy (order + n, rig_value (rig, "pairs.caption")->data, (gsize) count * sizeof (gint32));
      n += (guint) count;
    }
  return n;
}

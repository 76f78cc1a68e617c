/* How far a training run is.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "position.h"

#include <stdio.h>
#include <string.h>

#include <weft/operator.h>

typedef struct
{
  const char *name;
  enum
  {
    COUNT,
    LATE, /* a count that checkpoints of old lack */
    FLAG,
    REAL
  } kind;
  gsize offset;
} Field;

static const Field fields[] = {
  { "step", COUNT, offsetof (WeftPosition, step) },
  { "epoch", COUNT, offsetof (WeftPosition, epoch) },
  { "in_pass", FLAG, offsetof (WeftPosition, in_pass) },
  { "pass_step", COUNT, offsetof (WeftPosition, pass_step) },
  { "pass_length", COUNT, offsetof (WeftPosition, pass_length) },
  { "validate", FLAG, offsetof (WeftPosition, validate) },
  { "scored", FLAG, offsetof (WeftPosition, scored) },
  { "best", REAL, offsetof (WeftPosition, best) },
  { "best_step", COUNT, offsetof (WeftPosition, best_step) },
  { "best_epoch", COUNT, offsetof (WeftPosition, best_epoch) },
  { "worse", COUNT, offsetof (WeftPosition, worse) },
  { "stopped", FLAG, offsetof (WeftPosition, stopped) },
  { "window", COUNT, offsetof (WeftPosition, window) },
  { "lines", LATE, offsetof (WeftPosition, written.lines) },
  { "points", LATE, offsetof (WeftPosition, written.points) },
};

/* The bits, not a decimal: what is read is what was written. */
static char *
print_real (double value)
{
  guint64 bits;
  memcpy (&bits, &value, 8);
  return g_strdup_printf ("%016" G_GINT64_MODIFIER "x", bits);
}

static double
parse_real (const char *text)
{
  guint64 bits = g_ascii_strtoull (text, NULL, 16);
  double value;
  memcpy (&value, &bits, 8);
  return value;
}

GHashTable *
weft_position_write (const WeftPosition *position)
{
  GHashTable *metadata = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      gconstpointer place = G_STRUCT_MEMBER_P (position, fields[i].offset);
      char *text = fields[i].kind == REAL   ? print_real (*(const double *) place)
                   : fields[i].kind == FLAG ? g_strdup (*(const gboolean *) place ? "1" : "0")
                                            : g_strdup_printf ("%" G_GUINT64_FORMAT, *(const guint64 *) place);
      g_hash_table_insert (metadata, g_strdup_printf ("run.%s", fields[i].name), text);
    }
  g_autoptr (GString) sums = g_string_new (NULL);
  for (guint i = 0; i < position->n_sums; i++)
    {
      g_autofree char *text = print_real (position->sums[i]);
      g_string_append_printf (sums, "%s%s", i ? " " : "", text);
    }
  g_hash_table_insert (metadata, g_strdup ("run.sums"), g_string_free (g_steal_pointer (&sums), FALSE));
  return metadata;
}

gboolean
weft_position_read (WeftPosition *position, GHashTable *metadata, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_autofree char *key = g_strdup_printf ("run.%s", fields[i].name);
      const char *text = g_hash_table_lookup (metadata, key);
      gpointer place = G_STRUCT_MEMBER_P (position, fields[i].offset);
      if (!text && fields[i].kind == LATE)
        *(guint64 *) place = WEFT_WRITTEN_UNKNOWN;
      else if (!text)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "it lacks `%s`, so training can't go on from it", key);
          return FALSE;
        }
      else if (fields[i].kind == REAL)
        *(double *) place = parse_real (text);
      else if (fields[i].kind == FLAG)
        *(gboolean *) place = *text == '1';
      else
        *(guint64 *) place = g_ascii_strtoull (text, NULL, 10);
    }
  const char *sums = g_hash_table_lookup (metadata, "run.sums");
  g_auto (GStrv) parts = g_strsplit (sums ? sums : "", " ", -1);
  if (g_strv_length (parts) == position->n_sums)
    for (guint i = 0; i < position->n_sums; i++)
      position->sums[i] = parse_real (parts[i]);
  else
    position->window = 0;
  return TRUE;
}

/* What a run has logged, read back from its metrics.jsonl.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "history.h"

#include <math.h>
#include <string.h>

#include <json-glib/json-glib.h>

/* What every line has; no curves. */
static const char *const places[] = { "step", "epoch", "seconds", "phase", NULL };

static void
curve_free (gpointer data)
{
  WeftCurve *curve = data;
  g_free (curve->name);
  g_array_unref (curve->points);
  g_clear_pointer (&curve->counts, g_ptr_array_unref);
  g_free (curve);
}

static WeftCurve *
find_curve (GPtrArray *curves, const char *name, guint bins)
{
  for (guint i = 0; i < curves->len; i++)
    if (strcmp (((const WeftCurve *) curves->pdata[i])->name, name) == 0)
      return curves->pdata[i];
  WeftCurve *curve = g_new0 (WeftCurve, 1);
  curve->name = g_strdup (name);
  curve->points = g_array_new (FALSE, FALSE, sizeof (WeftCurvePoint));
  curve->bins = bins;
  curve->counts = bins ? g_ptr_array_new_with_free_func (g_free) : NULL;
  g_ptr_array_add (curves, curve);
  return curve;
}

static double
number (JsonObject *line, const char *name)
{
  JsonNode *node = json_object_get_member (line, name);
  return node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_double (node) : (double) NAN;
}

static WeftCurvePoint
point_of (JsonObject *line, const char *name)
{
  return (WeftCurvePoint){ (guint64) json_object_get_int_member (line, "step"), (guint64) json_object_get_int_member (line, "epoch"),
                           number (line, name) };
}

static void
add_histogram (GPtrArray *curves, JsonObject *line)
{
  const char *name = json_object_has_member (line, "name") ? json_object_get_string_member (line, "name") : NULL;
  JsonArray *counts = json_object_has_member (line, "counts") ? json_object_get_array_member (line, "counts") : NULL;
  guint bins = counts ? json_array_get_length (counts) : 0;
  WeftCurve *curve = name && bins ? find_curve (curves, name, bins) : NULL;
  /* A run that goes on with other bins begins the curve anew. */
  if (curve && curve->bins != bins)
    {
      g_array_set_size (curve->points, 0);
      g_clear_pointer (&curve->counts, g_ptr_array_unref);
      curve->counts = g_ptr_array_new_with_free_func (g_free);
      curve->bins = bins;
    }
  if (!curve)
    return;
  WeftCurvePoint point = point_of (line, "mean");
  guint64 *copy = g_new (guint64, bins);
  for (guint i = 0; i < bins; i++)
    copy[i] = (guint64) json_array_get_int_element (counts, i);
  curve->from = number (line, "from");
  curve->to = number (line, "to");
  g_ptr_array_add (curve->counts, copy);
  g_array_append_val (curve->points, point);
}

static void
add_values (GPtrArray *curves, JsonObject *line, const char *phase)
{
  g_autoptr (GList) names = json_object_get_members (line);
  for (GList *name = names; name; name = name->next)
    {
      if (g_strv_contains (places, name->data) || g_str_has_suffix (name->data, ".last"))
        continue;
      WeftCurvePoint point = point_of (line, name->data);
      g_autofree char *full = strcmp (phase, "train") == 0 ? g_strdup (name->data) : g_strconcat (phase, ".", name->data, NULL);
      WeftCurve *curve = find_curve (curves, full, 0);
      if (!curve->bins)
        g_array_append_val (curve->points, point);
    }
}

GPtrArray *
weft_history_read (const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, "metrics.jsonl", NULL), *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  GPtrArray *curves = g_ptr_array_new_with_free_func (curve_free);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (JsonParser) parser = json_parser_new ();
  for (char **at = lines; *at; at++)
    {
      /* A run under way may just be writing its last line. */
      if (!**at || !json_parser_load_from_data (parser, *at, -1, NULL) || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
        continue;
      JsonObject *line = json_node_get_object (json_parser_get_root (parser));
      const char *phase = json_object_has_member (line, "phase") ? json_object_get_string_member (line, "phase") : NULL;
      if (!phase || !json_object_has_member (line, "step") || !json_object_has_member (line, "epoch"))
        continue;
      if (strcmp (phase, "histogram") == 0)
        add_histogram (curves, line);
      else
        add_values (curves, line, phase);
    }
  return curves;
}

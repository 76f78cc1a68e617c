/* What a run is, as one number.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "digest.h"

#include <string.h>

#include "attributes.h"
#include "contents.h"
#include "places.h"
#include "settings.h"

static gboolean
is_scheduled (const WeftNode *node, const WeftAttribute *attribute)
{
  for (guint i = 0; node->scheduled && i < node->scheduled->len; i++)
    if (g_array_index (node->scheduled, WeftScheduled, i).attribute == attribute)
      return TRUE;
  return FALSE;
}

static void
describe_attributes (GString *text, const WeftNode *node)
{
  for (const WeftAttribute *attribute = node->op->attributes; attribute && attribute->name; attribute++)
    {
      WeftValue *given = node->map ? weft_value_lookup (node->map, attribute->name) : NULL;
      gboolean collection = attribute->kind == WEFT_ATTRIBUTE_NUMBERS || attribute->kind == WEFT_ATTRIBUTE_STRINGS;
      g_autofree char *value = given && (collection || is_scheduled (node, attribute)) ? weft_document_print (given)
                               : node->attributes                                      ? weft_attribute_print (attribute, node->attributes)
                                                                                       : NULL;
      g_string_append_printf (text, "  %s = %s\n", attribute->name, value ? g_strstrip (value) : "");
    }
}

static void
describe_inputs (GString *text, const WeftNode *node)
{
  for (guint p = 0; p < weft_port_count (node->op->inputs); p++)
    {
      const WeftInput *input = &node->inputs[p];
      if (input->state_of)
        g_string_append_printf (text, "  %s < state of %s\n", node->op->inputs[p].name, input->state_of->path);
      for (guint i = 0; i < input->n && !input->state_of; i++)
        if (input->wires[i] && input->wires[i]->node)
          g_string_append_printf (text, "  %s < %s.%s\n", node->op->inputs[p].name, input->wires[i]->node->path,
                                  input->wires[i]->node->op->outputs[input->wires[i]->port].name);
        else
          g_string_append_printf (text, "  %s < weights %s\n", node->op->inputs[p].name, input->weights[i] ? input->weights[i] : "");
    }
}

static void
describe_graph (GString *text, const WeftGraph *graph)
{
  g_string_append_printf (text, "graph %s\n", graph->name);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const WeftNode *node = graph->nodes->pdata[i];
      if (node->kind != WEFT_NODE_FORWARD)
        continue;
      g_string_append_printf (text, " %s as %s: %s version %u, %s%s%s\n", node->path, node->store_path, node->op->name, node->op->version,
                              weft_mode_name (node->mode), node->trainable ? "" : ", frozen",
                              node->compute == WEFT_COMPUTE_BF16 ? ", bf16" : "");
      describe_attributes (text, node);
      describe_inputs (text, node);
    }
  for (guint i = 0; i < graph->collects->len; i++)
    {
      const WeftCollect *collect = &g_array_index (graph->collects, WeftCollect, i);
      g_string_append_printf (text, " collect %s < %s\n", collect->name, collect->wire->node ? collect->wire->node->path : "");
    }
}

static void
add_loads (GPtrArray *contents, const WeftValue *load)
{
  if (weft_value_kind (load) == WEFT_VALUE_SCALAR)
    {
      WeftMark mark = weft_value_mark (load);
      g_autofree char *path = weft_resolve_path (weft_value_text (load), mark);
      weft_contents_add (contents, path);
    }
  for (guint i = 0; i < weft_value_length (load); i++)
    add_loads (contents, weft_value_item (load, i));
}

static void
add_paths (GPtrArray *contents, const WeftNode *node)
{
  for (const WeftAttribute *attribute = node->op->attributes; attribute && attribute->name && node->attributes; attribute++)
    {
      g_autofree char *path = attribute->kind == WEFT_ATTRIBUTE_PATH && !weft_attribute_is_written (attribute)
                                  ? weft_attribute_print (attribute, node->attributes)
                                  : NULL;
      if (path && *path)
        weft_contents_add (contents, path);
    }
}

void
weft_pipeline_add_contents (const WeftPipeline *pipeline, GPtrArray *contents)
{
  for (guint g = 0; g < pipeline->graphs->len; g++)
    {
      const WeftGraph *graph = pipeline->graphs->pdata[g];
      for (guint i = 0; i < graph->nodes->len; i++)
        if (((const WeftNode *) graph->nodes->pdata[i])->kind == WEFT_NODE_FORWARD)
          add_paths (contents, graph->nodes->pdata[i]);
    }
  for (guint i = 0; i < pipeline->networks->len; i++)
    {
      const WeftNetwork *network = pipeline->networks->pdata[i];
      if (network->load)
        add_loads (contents, network->load);
    }
}

/* The attributes have said where it is. */
static void
describe_contents (GString *text, const WeftPipeline *pipeline)
{
  g_autoptr (GPtrArray) contents = weft_contents_new ();
  weft_pipeline_add_contents (pipeline, contents);
  for (guint i = 0; i < contents->len; i++)
    {
      const WeftContents *one = contents->pdata[i];
      g_autofree char *name = g_path_get_basename (one->path);
      g_string_append_printf (text, "data %s %" G_GUINT64_FORMAT " %s\n", name, one->bytes, one->digest ? one->digest : "unreadable");
    }
}

char *
weft_pipeline_describe (const WeftPipeline *pipeline)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < pipeline->graphs->len; i++)
    describe_graph (text, pipeline->graphs->pdata[i]);
  for (guint i = 0; i < pipeline->networks->len; i++)
    {
      const WeftNetwork *network = pipeline->networks->pdata[i];
      g_autofree char *load = network->load ? weft_document_print (network->load) : g_strdup ("nothing");
      g_string_append_printf (text, "network %s%s loads %s\n", network->name, network->frozen ? ", frozen," : "", g_strstrip (load));
    }
  for (guint i = 0; pipeline->run && i < weft_value_length (pipeline->run); i++)
    {
      const char *key = weft_value_key (pipeline->run, i);
      g_autofree char *value = weft_document_print (weft_value_item (pipeline->run, i));
      if (strcmp (key, "log") != 0 && strcmp (key, "watch") != 0)
        g_string_append_printf (text, "run.%s = %s\n", key, g_strstrip (value));
    }
  describe_contents (text, pipeline);
  return g_string_free (text, FALSE);
}

char *
weft_pipeline_digest (const WeftPipeline *pipeline)
{
  g_autofree char *text = weft_pipeline_describe (pipeline);
  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
}

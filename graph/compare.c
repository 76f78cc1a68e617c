/* Two pipelines compared as graphs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "compare.h"

#include <string.h>

#include "attributes.h"
#include "settings.h"

/* The nodes of a pipeline by address: the first that has it. */
typedef struct
{
  GHashTable *nodes;
  GPtrArray *order; /* (element-type utf8), owned by @nodes */
} Nodes;

static void
change_free (gpointer data)
{
  WeftChange *change = data;
  g_free (change->address);
  g_free (change->what);
  g_free (change->before);
  g_free (change->after);
  g_free (change);
}

/* Takes over everything but @what. */
static void
add_change (GPtrArray *changes, WeftChangeKind kind, char *address, const char *what, char *before, char *after)
{
  WeftChange *change = g_new (WeftChange, 1);
  *change = (WeftChange){ kind, address, g_strdup (what), before, after };
  g_ptr_array_add (changes, change);
}

static void
append_line (GString *out, const WeftValue *value)
{
  gboolean map = weft_value_kind (value) == WEFT_VALUE_MAP;
  if (weft_value_kind (value) <= WEFT_VALUE_SCALAR)
    {
      g_autofree char *text = weft_value_kind (value) == WEFT_VALUE_NULL ? g_strdup ("null") : g_strchomp (weft_document_print (value));
      g_string_append (out, text);
      return;
    }
  g_string_append_c (out, map ? '{' : '[');
  for (guint i = 0; i < weft_value_length (value); i++)
    {
      g_string_append (out, i ? ", " : "");
      if (map)
        g_string_append_printf (out, "%s: ", weft_value_key (value, i));
      append_line (out, weft_value_item (value, i));
    }
  g_string_append_c (out, map ? '}' : ']');
}

char *
weft_value_print_line (const WeftValue *value)
{
  GString *out = g_string_new (NULL);
  append_line (out, value);
  return g_string_free (out, FALSE);
}

char *
weft_node_address (const WeftNode *node)
{
  const char *inner = strchr (node->path, '.');
  return node->borrowed && node->network && inner ? g_strconcat (node->network, inner, NULL) : g_strdup (node->store_path);
}

static Nodes
gather (const WeftPipeline *pipeline)
{
  Nodes nodes = { g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL), g_ptr_array_new () };
  for (guint g = 0; g < pipeline->graphs->len; g++)
    {
      const WeftGraph *graph = pipeline->graphs->pdata[g];
      for (guint i = 0; i < graph->nodes->len; i++)
        {
          WeftNode *node = graph->nodes->pdata[i];
          char *address =
              node->kind == WEFT_NODE_FORWARD && !node->collected_graph && !strchr (node->path, '~') ? weft_node_address (node) : NULL;
          if (address && !g_hash_table_contains (nodes.nodes, address))
            {
              g_hash_table_insert (nodes.nodes, address, node);
              g_ptr_array_add (nodes.order, address);
            }
          else
            g_free (address);
        }
    }
  return nodes;
}

static void
nodes_clear (Nodes *nodes)
{
  g_hash_table_unref (nodes->nodes);
  g_ptr_array_unref (nodes->order);
}

static gboolean
has_below (const Nodes *nodes, const char *prefix)
{
  gsize length = strlen (prefix);
  for (guint i = 0; i < nodes->order->len; i++)
    {
      const char *address = nodes->order->pdata[i];
      if (g_str_has_prefix (address, prefix) && (address[length] == '.' || address[length] == '\0'))
        return TRUE;
    }
  return FALSE;
}

static guint
count_below (const Nodes *nodes, const char *prefix)
{
  gsize length = strlen (prefix);
  guint n = 0;
  for (guint i = 0; i < nodes->order->len; i++)
    {
      const char *address = nodes->order->pdata[i];
      n += g_str_has_prefix (address, prefix) && (address[length] == '.' || address[length] == '\0');
    }
  return n;
}

/* The outermost part of @address that @other has nothing of. */
static char *
outermost_missing (const Nodes *other, const char *address)
{
  char *path = g_strdup (address);
  for (char *dot = strchr (path, '.'); dot; dot = strchr (dot + 1, '.'))
    {
      *dot = '\0';
      if (!has_below (other, path))
        return path;
      *dot = '.';
    }
  return path;
}

static void
add_missing (GPtrArray *changes, WeftChangeKind kind, const Nodes *here, const Nodes *there)
{
  g_autoptr (GHashTable) told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < here->order->len; i++)
    {
      const char *address = here->order->pdata[i];
      if (g_hash_table_contains (there->nodes, address))
        continue;
      char *outermost = outermost_missing (there, address);
      const WeftNode *node = g_hash_table_lookup (here->nodes, outermost);
      guint n = count_below (here, outermost);
      if (n == 1 && !node)
        {
          g_free (outermost);
          outermost = g_strdup (address);
          node = g_hash_table_lookup (here->nodes, address);
        }
      char *what = node ? g_strdup (node->op->name) : g_strdup_printf ("%u nodes", n);
      if (g_hash_table_add (told, g_strdup (outermost)))
        add_change (changes, kind, outermost, NULL, kind == WEFT_CHANGE_REMOVE ? what : NULL, kind == WEFT_CHANGE_ADD ? what : NULL);
      else
        {
          g_free (outermost);
          g_free (what);
        }
    }
}

static char *
print_attribute (const WeftNode *node, const WeftAttribute *attribute)
{
  const WeftValue *given = node->map ? weft_value_lookup (node->map, attribute->name) : NULL;
  gboolean plain = attribute->kind != WEFT_ATTRIBUTE_NUMBERS && attribute->kind != WEFT_ATTRIBUTE_STRINGS;
  if (given && (!plain || weft_value_kind (given) != WEFT_VALUE_SCALAR))
    return weft_value_print_line (given);
  return plain && node->attributes ? weft_attribute_print (attribute, node->attributes) : g_strdup ("none");
}

static char *
print_input (const WeftInput *input)
{
  GString *text = g_string_new (NULL);
  if (input->state_of)
    g_string_append (text, input->state_of->path);
  for (guint i = 0; i < input->n && !input->state_of; i++)
    {
      const WeftWire *wire = input->wires[i];
      g_string_append (text, i ? ", " : "");
      if (!wire || !wire->node)
        {
          g_string_append (text, input->weights[i] ? input->weights[i] : "");
          continue;
        }
      g_autofree char *address = weft_node_address (wire->node);
      g_string_append (text, address);
      if (weft_port_count (wire->node->op->outputs) > 1)
        g_string_append_printf (text, ".%s", wire->node->op->outputs[wire->port].name);
    }
  if (!text->len)
    g_string_append (text, "nothing");
  return g_string_free (text, FALSE);
}

static void
compare_nodes (GPtrArray *changes, const char *address, const WeftNode *a, const WeftNode *b)
{
  gboolean same = a->op == b->op;
  if (!same)
    add_change (changes, WEFT_CHANGE_REPLACE, g_strdup (address), NULL, g_strdup (a->op->name), g_strdup (b->op->name));
  for (const WeftAttribute *attribute = same ? a->op->attributes : NULL; attribute && attribute->name; attribute++)
    {
      g_autofree char *before = print_attribute (a, attribute), *after = print_attribute (b, attribute);
      if (strcmp (before, after) != 0)
        add_change (changes, WEFT_CHANGE_SET, g_strdup (address), attribute->name, g_steal_pointer (&before), g_steal_pointer (&after));
    }
  for (guint p = 0; p < weft_port_count (a->op->inputs); p++)
    {
      int q = weft_port_index (b->op->inputs, a->op->inputs[p].name);
      g_autofree char *before = print_input (&a->inputs[p]), *after = q >= 0 ? print_input (&b->inputs[q]) : NULL;
      if (after && strcmp (before, after) != 0)
        add_change (changes, WEFT_CHANGE_REWIRE, g_strdup (address), a->op->inputs[p].name, g_steal_pointer (&before),
                    g_steal_pointer (&after));
    }
  if (a->mode != b->mode)
    add_change (changes, WEFT_CHANGE_SET, g_strdup (address), "mode", g_strdup (weft_mode_name (a->mode)),
                g_strdup (weft_mode_name (b->mode)));
  if (a->compute != b->compute)
    add_change (changes, WEFT_CHANGE_SET, g_strdup (address), "compute", g_strdup (weft_compute_name (a->compute)),
                g_strdup (weft_compute_name (b->compute)));
  if (a->trainable != b->trainable && a->parameters[0].path)
    add_change (changes, WEFT_CHANGE_FREEZE, g_strdup (address), NULL, g_strdup (a->trainable ? "trained" : "frozen"),
                g_strdup (b->trainable ? "trained" : "frozen"));
}

static char *
print_value (const WeftValue *value)
{
  return value ? weft_value_print_line (value) : NULL;
}

static void
compare_values (GPtrArray *changes, const char *path, const WeftValue *a, const WeftValue *b)
{
  gboolean maps = a && b && weft_value_kind (a) == WEFT_VALUE_MAP && weft_value_kind (b) == WEFT_VALUE_MAP;
  g_autofree char *before = print_value (a), *after = print_value (b);
  if (!maps && g_strcmp0 (before, after) != 0)
    add_change (changes, WEFT_CHANGE_RUN, g_strdup (path), NULL, g_steal_pointer (&before), g_steal_pointer (&after));
  for (guint i = 0; maps && i < weft_value_length (a); i++)
    {
      g_autofree char *inner = g_strconcat (path, ".", weft_value_key (a, i), NULL);
      compare_values (changes, inner, weft_value_item (a, i), weft_value_lookup (b, weft_value_key (a, i)));
    }
  for (guint i = 0; maps && i < weft_value_length (b); i++)
    {
      g_autofree char *inner = g_strconcat (path, ".", weft_value_key (b, i), NULL);
      if (!weft_value_lookup (a, weft_value_key (b, i)))
        compare_values (changes, inner, NULL, weft_value_item (b, i));
    }
}

GPtrArray *
weft_compare (const WeftPipeline *a, const WeftPipeline *b)
{
  GPtrArray *changes = g_ptr_array_new_with_free_func (change_free);
  Nodes first = gather (a), second = gather (b);
  add_missing (changes, WEFT_CHANGE_REMOVE, &first, &second);
  add_missing (changes, WEFT_CHANGE_ADD, &second, &first);
  for (guint i = 0; i < first.order->len; i++)
    {
      const char *address = first.order->pdata[i];
      const WeftNode *other = g_hash_table_lookup (second.nodes, address);
      if (other)
        compare_nodes (changes, address, g_hash_table_lookup (first.nodes, address), other);
    }
  if (a->run || b->run)
    compare_values (changes, "run", a->run, b->run);
  nodes_clear (&first);
  nodes_clear (&second);
  return changes;
}

char *
weft_change_print (const WeftChange *change)
{
  static const char *const verbs[] = { "- remove", "+ add", "~ replace", "~ set", "~ rewire", "~ freeze", "~ set" };
  const char *what = change->what ? change->what : "", *dot = change->what ? "." : "";
  if (change->kind == WEFT_CHANGE_REMOVE || change->kind == WEFT_CHANGE_ADD)
    return g_strdup_printf ("%s %s (%s)", verbs[change->kind], change->address, change->before ? change->before : change->after);
  return g_strdup_printf ("%s %s%s%s: %s → %s", verbs[change->kind], change->address, dot, what,
                          change->before ? change->before : "nothing", change->after ? change->after : "nothing");
}

/* Bypasses: in inferred graphs, whoever read an output reads the input that has its signature.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "edit-private.h"
#include "registry.h"

/* An input or output of what is bypassed. */
typedef struct
{
  char *name;      /* port, "port.key" of a variadic one */
  char *reference; /* (nullable): what it reads, as written */
  WeftWire *wire;
} End;

typedef struct
{
  WeftEdit *edit;
  WeftGraph *graph;
  char *address, *place;
  GArray *inputs, *outputs; /* of End */
} Bypass;

static void
end_clear (gpointer data)
{
  End *end = data;
  g_free (end->name);
  g_free (end->reference);
}

static void
bypass_free (gpointer data)
{
  Bypass *bypass = data;
  g_array_unref (bypass->inputs);
  g_array_unref (bypass->outputs);
  g_free (bypass->address);
  g_free (bypass->place);
  g_free (bypass);
}

static void
add_end (GArray *ends, char *name, const char *reference, WeftWire *wire)
{
  End end = { name, g_strdup (reference), wire };
  if (wire)
    g_array_append_val (ends, end);
  else
    end_clear (&end);
}

static void
note_node (Bypass *bypass, const WeftNode *node)
{
  for (guint p = 0; p < weft_port_count (node->op->inputs); p++)
    {
      const WeftInput *input = &node->inputs[p];
      const WeftValue *written = node->map ? weft_value_lookup (node->map, node->op->inputs[p].name) : NULL;
      gboolean several = written && weft_value_length (written) > 0;
      for (guint i = 0; i < input->n; i++)
        {
          const WeftValue *reference = several && i < weft_value_length (written) ? weft_value_item (written, i) : written;
          char *name = several ? g_strdup_printf ("%s.%u", node->op->inputs[p].name, i) : g_strdup (node->op->inputs[p].name);
          add_end (bypass->inputs, name, reference && weft_value_kind (reference) == WEFT_VALUE_SCALAR ? weft_value_text (reference) : NULL,
                   input->wires[i]);
        }
    }
  for (guint p = 0; p < weft_port_count (node->op->outputs); p++)
    add_end (bypass->outputs, g_strdup (node->op->outputs[p].name), NULL, node->outputs[p]);
}

static void
note_instance (Bypass *bypass, const WeftEntity *entity)
{
  for (guint i = 0; i < entity->inner->owned->len; i++)
    {
      const WeftEntity *input = entity->inner->owned->pdata[i];
      if (input->kind == WEFT_ENTITY_INPUT)
        add_end (bypass->inputs, g_strdup (input->name), weft_value_text (input->reference),
                 weft_scope_resolve_wire (input->outer, input->reference));
    }
  for (guint i = 0; entity->outputs && i < weft_value_length (entity->outputs); i++)
    add_end (bypass->outputs, g_strdup (weft_value_key (entity->outputs, i)), NULL,
             weft_scope_resolve_wire (entity->inner, weft_value_item (entity->outputs, i)));
}

/* "layer" of "layer.3": a whole repetition is meant too. */
static gboolean
matches_group (const WeftEdit *edit, const WeftScope *scope, const char *name)
{
  g_autofree char *group = g_strdup (name);
  char *dot = strrchr (group, '.');
  if (!dot)
    return FALSE;
  *dot = '\0';
  return weft_edit_matches (edit, g_strv_length (edit->pattern), scope, group);
}

static void
note_scope (WeftEdits *edits, WeftEdit *edit, WeftScope *scope)
{
  for (guint i = 0; i < scope->owned->len; i++)
    {
      WeftEntity *entity = scope->owned->pdata[i];
      if (entity->kind == WEFT_ENTITY_INPUT)
        continue;
      if (weft_edit_matches (edit, g_strv_length (edit->pattern), scope, entity->name) || matches_group (edit, scope, entity->name))
        {
          edit->matched++;
          if (entity->kind == WEFT_ENTITY_FAULTY)
            continue;
          Bypass *bypass = g_new0 (Bypass, 1);
          bypass->edit = edit;
          bypass->graph = scope->graph;
          bypass->address = weft_edit_address (scope, entity->name);
          bypass->place = weft_edit_place (scope, entity->name);
          bypass->inputs = g_array_new (FALSE, FALSE, sizeof (End));
          bypass->outputs = g_array_new (FALSE, FALSE, sizeof (End));
          g_array_set_clear_func (bypass->inputs, end_clear);
          g_array_set_clear_func (bypass->outputs, end_clear);
          if (entity->kind == WEFT_ENTITY_NODE)
            note_node (bypass, entity->node);
          else
            note_instance (bypass, entity);
          g_ptr_array_add (edits->bypasses, bypass);
        }
      if (entity->kind == WEFT_ENTITY_INSTANCE)
        note_scope (edits, edit, entity->inner);
    }
}

void
weft_edits_note_bypasses (WeftEdits *edits, WeftScope *root)
{
  if (edits && !edits->bypasses)
    edits->bypasses = g_ptr_array_new_with_free_func (bypass_free);
  for (guint e = 0; edits && e < edits->edits->len; e++)
    {
      WeftEdit *edit = edits->edits->pdata[e];
      if (edit->verb == WEFT_EDIT_BYPASS)
        note_scope (edits, edit, root);
    }
}

static gboolean
reads_wire (const WeftNode *node, const WeftWire *wire)
{
  for (guint p = 0; p < WEFT_MAX_PORTS; p++)
    for (guint i = 0; i < node->inputs[p].n; i++)
      if (node->inputs[p].wires[i] == wire)
        return TRUE;
  return FALSE;
}

static gboolean
is_read (const WeftGraph *graph, const WeftWire *wire)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    if (reads_wire (graph->nodes->pdata[i], wire))
      return TRUE;
  return wire->kept;
}

static void
move_readers (WeftGraph *graph, WeftWire *from, WeftWire *to)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      WeftNode *node = graph->nodes->pdata[i];
      for (guint p = 0; p < WEFT_MAX_PORTS; p++)
        for (guint k = 0; k < node->inputs[p].n; k++)
          if (node->inputs[p].wires[k] == from)
            node->inputs[p].wires[k] = to;
    }
  for (guint i = 0; i < graph->collects->len; i++)
    if (g_array_index (graph->collects, WeftCollect, i).wire == from)
      g_array_index (graph->collects, WeftCollect, i).wire = to;
  GHashTableIter iter;
  gpointer wire;
  g_hash_table_iter_init (&iter, graph->aliases);
  while (g_hash_table_iter_next (&iter, NULL, &wire))
    if (wire == from)
      g_hash_table_iter_replace (&iter, to);
  to->read |= from->read;
  to->kept |= from->kept;
  from->read = from->kept = FALSE;
}

/* Other bypasses name their ends by wires too. */
static void
move_ends (WeftEdits *edits, WeftWire *from, WeftWire *to)
{
  for (guint b = 0; b < edits->bypasses->len; b++)
    {
      Bypass *bypass = edits->bypasses->pdata[b];
      for (guint i = 0; i < bypass->inputs->len; i++)
        if (g_array_index (bypass->inputs, End, i).wire == from)
          g_array_index (bypass->inputs, End, i).wire = to;
    }
}

static char *
list_ends (const GArray *ends)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < ends->len; i++)
    {
      const End *end = &g_array_index (ends, End, i);
      g_autofree char *shape = weft_shape_print (&end->wire->shape);
      g_string_append_printf (text, "%s%s %s", i ? ", " : "", end->name, shape);
    }
  return g_string_free (text, FALSE);
}

/* Whether a signature may describe @shape; sizes are not compared. */
static gboolean
may_describe (const char *signature, const WeftShape *shape)
{
  const char *open = signature ? strchr (signature, '[') : NULL, *close = open ? strrchr (open, ']') : NULL;
  if (!close || strncmp (signature, weft_type_name (shape->type), (gsize) (open - signature)) != 0)
    return FALSE;
  guint dims = close > open + 1;
  for (const char *c = open; c < close; c++)
    dims += *c == ',';
  if (strstr (signature, "..."))
    return shape->rank + 1 >= dims;
  gboolean ragged = shape->rank && shape->dims[0].ragged;
  return dims == shape->rank && ragged == (memchr (open, ':', (gsize) (close - open)) != NULL);
}

/* The last dimension of a signature as written. */
static char *
last_dim (const char *signature)
{
  const char *end = strrchr (signature, ']'), *start = end;
  while (start > signature && start[-1] != ',' && start[-1] != '[')
    start--;
  return g_strstrip (g_strndup (start, (gsize) (end - start)));
}

/* Operators that take what is bypassed takes and give what it gives, with the last size kept where it is the same. */
static void
add_operators (GString *text, const WeftShape *from, const WeftShape *to)
{
  guint n, found = 0;
  const WeftOperator *const *operators = weft_registry_operators (&n);
  gboolean same_width = from->rank && to->rank && weft_dim_equal (&from->dims[from->rank - 1], &to->dims[to->rank - 1]);
  for (guint i = 0; i < n && found < 6; i++)
    {
      const WeftPort *inputs = operators[i]->inputs, *outputs = operators[i]->outputs;
      guint required = 0;
      if (!inputs || !outputs || !outputs[0].name || outputs[0].shows || operators[i]->effect)
        continue;
      for (const WeftPort *port = inputs; port->name; port++)
        required += !(port->flags & WEFT_PORT_OPTIONAL);
      gboolean alike = inputs[0].signature && outputs[0].signature && strstr (inputs[0].signature, "...")
                       && strstr (outputs[0].signature, "..."); /* gives what it takes, so it doesn't change the rank */
      if ((alike && from->rank != to->rank) || required != 1 || (inputs[0].flags & WEFT_PORT_VARIADIC)
          || !may_describe (inputs[0].signature, from) || !may_describe (outputs[0].signature, to))
        continue;
      g_autofree char *in = last_dim (inputs[0].signature), *out = last_dim (outputs[0].signature);
      if (same_width && strcmp (in, out) != 0)
        continue;
      g_string_append_printf (text, "%s%s",
                              found++     ? ", "
                              : text->len ? "; or replace it by an operator such as "
                                          : "; what would fit: replace it by an operator such as ",
                              operators[i]->name);
    }
}

/* What reads the output and could be bypassed instead. */
static void
add_readers (GString *text, const Bypass *bypass, const WeftWire *output)
{
  for (guint i = 0; i < bypass->graph->nodes->len; i++)
    {
      const WeftNode *node = bypass->graph->nodes->pdata[i];
      const WeftWire *gives = weft_port_count (node->op->outputs) ? node->outputs[0] : NULL;
      if (!reads_wire (node, output) || !gives)
        continue;
      for (guint p = 0; p < weft_port_count (node->op->inputs); p++)
        for (guint k = 0; k < node->inputs[p].n; k++)
          if (node->inputs[p].wires[k] && node->inputs[p].wires[k] != output
              && weft_shape_equal (&node->inputs[p].wires[k]->shape, &gives->shape))
            {
              const char *inner = strchr (node->path, '.');
              g_autofree char *address = node->borrowed && inner ? g_strconcat (node->network, inner, NULL) : g_strdup (node->store_path);
              g_string_append_printf (
                  text, "; what would fit: bypass `%s`, which reads it and whose input \"%s\" has the signature of its output", address,
                  node->op->inputs[p].name);
              return;
            }
    }
}

static void
report_misfit (WeftEdits *edits, const Bypass *bypass, const End *output)
{
  g_autofree char *inputs = list_ends (bypass->inputs), *shape = weft_shape_print (&output->wire->shape);
  g_autoptr (GString) fits = g_string_new (NULL);
  add_readers (fits, bypass, output->wire);
  if (bypass->inputs->len)
    add_operators (fits, &g_array_index (bypass->inputs, End, 0).wire->shape, &output->wire->shape);
  weft_problems_add (edits->problems, bypass->edit->mark, "`%s` can't be bypassed: %s%s%s its output %s, %s%s", bypass->address,
                     bypass->inputs->len ? "none of its inputs (" : "it has no inputs, so it can only be removed; nothing has", inputs,
                     bypass->inputs->len ? ") has the signature of" : " the signature of", output->name, shape, fits->str);
}

/* The input that takes the place of @output: the only one of its signature, or the one that `from:` names. NULL if reported. */
static const End *
choose_input (WeftEdits *edits, const Bypass *bypass, const End *output)
{
  const WeftValue *from = bypass->edit->value;
  const End *found = NULL, *named = NULL;
  guint n = 0;
  for (guint i = 0; i < bypass->inputs->len; i++)
    {
      const End *input = &g_array_index (bypass->inputs, End, i);
      if (from && (strcmp (input->name, weft_value_text (from)) == 0 || g_strcmp0 (input->reference, weft_value_text (from)) == 0))
        named = input;
      if (!weft_shape_equal (&input->wire->shape, &output->wire->shape) || (found && found->wire == input->wire))
        continue;
      found = input;
      n++;
    }
  g_autofree char *inputs = list_ends (bypass->inputs), *shape = weft_shape_print (&output->wire->shape);
  if (from && !named)
    weft_problems_add (edits->problems, weft_value_mark (from), "`%s` has no input \"%s\"; its inputs are %s", bypass->address,
                       weft_value_text (from), inputs);
  else if (named && !weft_shape_equal (&named->wire->shape, &output->wire->shape))
    weft_problems_add (edits->problems, weft_value_mark (from),
                       "`%s` can't be bypassed from \"%s\": its output %s is %s, its inputs are %s", bypass->address,
                       weft_value_text (from), output->name, shape, inputs);
  else if (named)
    return named;
  else if (n == 0)
    report_misfit (edits, bypass, output);
  else if (n == 1)
    return found;
  else
    weft_problems_add (edits->problems, bypass->edit->mark,
                       "several inputs of `%s` have the signature of its output %s, %s: say which with `from:`; its inputs are %s",
                       bypass->address, output->name, shape, inputs);
  return NULL;
}

static void
apply (WeftEdits *edits, const Bypass *bypass)
{
  for (guint i = 0; i < bypass->outputs->len; i++)
    {
      const End *output = &g_array_index (bypass->outputs, End, i);
      if (!is_read (bypass->graph, output->wire))
        continue;
      const End *input = choose_input (edits, bypass, output);
      if (!input)
        return;
      g_autofree char *shape = weft_shape_print (&output->wire->shape);
      WeftWire *from = output->wire, *to = input->wire;
      weft_edit_say (edits, "bypass `%s`: its input %s in place of its output %s, %s%s%s%s", bypass->address, input->name, output->name,
                     shape, strcmp (bypass->address, bypass->place) ? " (in " : "",
                     strcmp (bypass->address, bypass->place) ? bypass->place : "", strcmp (bypass->address, bypass->place) ? ")" : "");
      move_readers (bypass->graph, from, to);
      move_ends (edits, from, to);
    }
}

void
weft_edits_bypass (WeftEdits *edits)
{
  for (guint i = 0; edits && edits->bypasses && i < edits->bypasses->len; i++)
    apply (edits, edits->bypasses->pdata[i]);
}

/* Descriptors written out for programs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "describe.h"

static void
add_text (JsonBuilder *builder, const char *name, const char *text)
{
  json_builder_set_member_name (builder, name);
  if (text)
    json_builder_add_string_value (builder, text);
  else
    json_builder_add_null_value (builder);
}

static void
add_flag (JsonBuilder *builder, const char *name, gboolean set)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, set);
}

static void
add_number (JsonBuilder *builder, const char *name, double number)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, number);
}

static void
add_ports (JsonBuilder *builder, const char *name, const WeftPort *ports)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (; ports && ports->name; ports++)
    {
      json_builder_begin_object (builder);
      add_text (builder, "name", ports->name);
      add_text (builder, "signature", ports->signature);
      add_text (builder, "meaning", ports->meaning);
      add_text (builder, "initial", ports->initial);
      add_text (builder, "when", ports->when);
      add_text (builder, "shows", ports->shows);
      add_flag (builder, "optional", ports->flags & WEFT_PORT_OPTIONAL);
      add_flag (builder, "variadic", ports->flags & WEFT_PORT_VARIADIC);
      add_flag (builder, "read_by_backward", ports->flags & WEFT_PORT_READ);
      add_flag (builder, "constant", ports->flags & WEFT_PORT_CONSTANT);
      add_flag (builder, "weights", ports->flags & WEFT_PORT_WEIGHTS);
      add_flag (builder, "state_of", ports->flags & WEFT_PORT_STATE_OF);
      add_flag (builder, "objective", ports->flags & WEFT_PORT_OBJECTIVE);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_attributes (JsonBuilder *builder, const WeftAttribute *attributes)
{
  static const char *const kinds[] = { NULL, "integer", "number", "boolean", "string", "path", "choice", "numbers", "strings" };

  json_builder_set_member_name (builder, "attributes");
  json_builder_begin_array (builder);
  for (; attributes && attributes->name; attributes++)
    {
      json_builder_begin_object (builder);
      add_text (builder, "name", attributes->name);
      add_text (builder, "type", attributes->kind < G_N_ELEMENTS (kinds) ? kinds[attributes->kind] : NULL);
      add_flag (builder, "required", !attributes->fallback);
      add_text (builder, "default", attributes->fallback);
      add_text (builder, "unit", attributes->unit && *attributes->unit ? attributes->unit : NULL);
      add_text (builder, "meaning", attributes->meaning);
      add_flag (builder, "scheduled", attributes->scheduled);
      if (attributes->minimum != attributes->maximum)
        {
          add_number (builder, "minimum", attributes->minimum);
          add_number (builder, "maximum", attributes->maximum);
        }
      if (attributes->choices)
        {
          json_builder_set_member_name (builder, "choices");
          json_builder_begin_array (builder);
          for (guint i = 0; attributes->choices[i]; i++)
            json_builder_add_string_value (builder, attributes->choices[i]);
          json_builder_end_array (builder);
        }
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_slots (JsonBuilder *builder, const WeftSlot *slots)
{
  json_builder_set_member_name (builder, "slots");
  json_builder_begin_array (builder);
  for (; slots && slots->name; slots++)
    {
      json_builder_begin_object (builder);
      add_text (builder, "name", slots->name);
      add_flag (builder, "copy", slots->copy);
      add_flag (builder, "statistics", slots->statistics);
      add_text (builder, "weights", slots->weights);
      add_text (builder, "when", slots->when);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

void
weft_describe_operator_json (const WeftOperator *op, JsonBuilder *builder)
{
  json_builder_begin_object (builder);
  add_text (builder, "name", op->name);
  add_text (builder, "module", weft_describe_room (op));
  json_builder_set_member_name (builder, "version");
  json_builder_add_int_value (builder, op->version);
  add_text (builder, "summary", op->summary);
  add_text (builder, "documentation", op->documentation);
  add_text (builder, "source", op->source);
  add_ports (builder, "inputs", op->inputs);
  add_ports (builder, "outputs", op->outputs);
  add_attributes (builder, op->attributes);
  add_ports (builder, "parameters", op->parameters);
  add_ports (builder, "states", op->states);
  add_ports (builder, "saved", op->saved);
  add_slots (builder, op->slots);
  json_builder_set_member_name (builder, "in_place");
  json_builder_begin_array (builder);
  for (guint i = 0; op->in_place && op->in_place[i]; i++)
    json_builder_add_string_value (builder, op->in_place[i]);
  json_builder_end_array (builder);
  add_flag (builder, "differentiable", !op->not_differentiable && (op->backward || op->passes_gradient || !op->forward));
  add_text (builder, "not_differentiable", op->not_differentiable);
  add_text (builder, "by_parts", !op->forward_part ? NULL : op->parts == WEFT_PARTS_ROWS ? "rows" : "elements");
  add_flag (builder, "announces_parts", op->announces_parts);
  add_flag (builder, "effect", op->effect);
  add_flag (builder, "is_source", op->is_source);
  add_flag (builder, "has_forward", op->forward != NULL);
  add_text (builder, "composition", op->composition);
  add_text (builder, "example", op->example);
  json_builder_end_object (builder);
}

void
weft_describe_module_json (const WeftLoaded *loaded, gboolean operators, JsonBuilder *builder)
{
  const WeftModule *module = loaded->module;
  guint n;
  const WeftOperator *const *all = weft_registry_operators (&n);

  json_builder_begin_object (builder);
  add_text (builder, "path", loaded->path);
  add_text (builder, "refused", module ? NULL : loaded->refused);
  if (module)
    {
      g_autofree char *interface = g_strdup_printf ("%u.%u", module->interface_major, module->interface_minor);
      add_text (builder, "name", module->name);
      add_text (builder, "version", module->version);
      add_text (builder, "summary", module->summary);
      add_text (builder, "interface", interface);
      json_builder_set_member_name (builder, "operators");
      json_builder_begin_array (builder);
      for (guint i = 0; i < n; i++)
        if (weft_registry_module_of (all[i]) == module)
          {
            if (operators)
              weft_describe_operator_json (all[i], builder);
            else
              json_builder_add_string_value (builder, all[i]->name);
          }
      json_builder_end_array (builder);
    }
  json_builder_end_object (builder);
}

static void
add_value (JsonBuilder *builder, const WeftValue *value)
{
  switch (weft_value_kind (value))
    {
    case WEFT_VALUE_NULL:
      json_builder_add_null_value (builder);
      break;
    case WEFT_VALUE_SCALAR:
      json_builder_add_string_value (builder, weft_value_text (value));
      break;
    case WEFT_VALUE_LIST:
      json_builder_begin_array (builder);
      for (guint i = 0; i < weft_value_length (value); i++)
        add_value (builder, weft_value_item (value, i));
      json_builder_end_array (builder);
      break;
    case WEFT_VALUE_MAP:
      json_builder_begin_object (builder);
      for (guint i = 0; i < weft_value_length (value); i++)
        {
          json_builder_set_member_name (builder, weft_value_key (value, i));
          add_value (builder, weft_value_item (value, i));
        }
      json_builder_end_object (builder);
      break;
    }
}

void
weft_describe_body_json (const char *name, const char *file, const WeftValue *body, JsonBuilder *builder)
{
  json_builder_begin_object (builder);
  add_text (builder, "name", name);
  add_text (builder, "file", file);
  json_builder_set_member_name (builder, "body");
  add_value (builder, body);
  json_builder_end_object (builder);
}

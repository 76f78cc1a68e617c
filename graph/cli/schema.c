/* weft schema: the pipeline language as JSON Schema, for editors.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <json-glib/json-glib.h>

#include "cli.h"

static void
member (JsonBuilder *json, const char *name, const char *value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

static void
begin (JsonBuilder *json, const char *name)
{
  if (name)
    json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
}

static void
end (JsonBuilder *json)
{
  json_builder_end_object (json);
}

static void
begin_list (JsonBuilder *json, const char *name)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_array (json);
}

static void
closed (JsonBuilder *json)
{
  json_builder_set_member_name (json, "additionalProperties");
  json_builder_add_boolean_value (json, FALSE);
}

static void
typed (JsonBuilder *json, const char *name, const char *type, const char *description)
{
  begin (json, name);
  member (json, "type", type);
  if (description)
    member (json, "description", description);
  end (json);
}

static void
reference (JsonBuilder *json, const char *name, const char *definition)
{
  begin (json, name);
  g_autofree char *path = g_strconcat ("#/definitions/", definition, NULL);
  member (json, "$ref", path);
  end (json);
}

/* A map of names to what @definition says. */
static void
map_of (JsonBuilder *json, const char *name, const char *definition, const char *description)
{
  begin (json, name);
  member (json, "type", "object");
  member (json, "description", description);
  reference (json, "additionalProperties", definition);
  end (json);
}

static void
words (JsonBuilder *json, const char *const *choices)
{
  begin_list (json, "enum");
  for (; *choices; choices++)
    json_builder_add_string_value (json, *choices);
  json_builder_end_array (json);
}

/* Elsewhere than in the value's own type a variable may stand, and `null`, which removes. */
static void
add_value (JsonBuilder *json, const WeftAttribute *attribute)
{
  static const char *const types[] = { "string", "integer", "number", "boolean", "string", "string", "string", "object", "array" };
  json_builder_begin_object (json);
  member (json, "type", types[attribute->kind]);
  if (attribute->choices)
    words (json, attribute->choices);
  if (attribute->minimum != attribute->maximum)
    {
      json_builder_set_member_name (json, "minimum");
      json_builder_add_double_value (json, attribute->minimum);
      json_builder_set_member_name (json, "maximum");
      json_builder_add_double_value (json, attribute->maximum);
    }
  json_builder_end_object (json);
}

static void
add_attribute (JsonBuilder *json, const WeftAttribute *attribute)
{
  g_autofree char *text = g_strdup_printf ("%s%s%s%s%s", attribute->meaning, attribute->unit && *attribute->unit ? ", " : "",
                                           attribute->unit ? attribute->unit : "", attribute->fallback ? "; default " : "; required",
                                           attribute->fallback ? *attribute->fallback ? attribute->fallback : "none" : "");
  begin (json, attribute->name);
  member (json, "description", text);
  begin_list (json, "anyOf");
  add_value (json, attribute);
  json_builder_begin_object (json);
  member (json, "$ref", "#/definitions/variable");
  json_builder_end_object (json);
  if (attribute->scheduled)
    {
      json_builder_begin_object (json);
      member (json, "$ref", "#/definitions/schedule");
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
  end (json);
}

static void
add_input (JsonBuilder *json, const WeftPort *port)
{
  g_autofree char *text = g_strdup_printf ("%s%s%s%s", port->meaning ? port->meaning : "", port->signature ? "; " : "",
                                           port->signature ? port->signature : "", port->flags & WEFT_PORT_OPTIONAL ? "; optional" : "");
  begin (json, port->name);
  member (json, "description", text);
  begin_list (json, "type");
  json_builder_add_string_value (json, "string");
  json_builder_add_string_value (json, "null");
  if (port->flags & WEFT_PORT_VARIADIC)
    {
      json_builder_add_string_value (json, "array");
      json_builder_add_string_value (json, "object");
    }
  json_builder_end_array (json);
  end (json);
}

static void
add_choice (JsonBuilder *json, const char *name, const char *description, const char *first, const char *second)
{
  begin (json, name);
  member (json, "description", description);
  begin_list (json, "enum");
  json_builder_add_string_value (json, first);
  json_builder_add_string_value (json, second);
  json_builder_add_null_value (json);
  json_builder_end_array (json);
  end (json);
}

static void
add_settings (JsonBuilder *json)
{
  add_choice (json, "mode", "train or infer; default: that of what it stands in", "train", "infer");
  add_choice (json, "compute", "operands of matrix products; default: those of what it stands in", "float32", "bf16");
}

/* What a node with this `op:` may have. */
static void
add_operator (JsonBuilder *json, const WeftOperator *op)
{
  json_builder_begin_object (json);
  begin (json, "if");
  begin (json, "properties");
  begin (json, "op");
  member (json, "const", op->name);
  end (json);
  end (json);
  begin_list (json, "required");
  json_builder_add_string_value (json, "op");
  json_builder_end_array (json);
  end (json);
  begin (json, "then");
  begin (json, "properties");
  begin (json, "op");
  member (json, "description", op->summary);
  end (json);
  for (const WeftPort *port = op->inputs; port && port->name; port++)
    add_input (json, port);
  for (const WeftAttribute *attribute = op->attributes; attribute && attribute->name; attribute++)
    add_attribute (json, attribute);
  add_settings (json);
  end (json);
  closed (json);
  end (json);
  json_builder_end_object (json);
}

static void
add_node (JsonBuilder *json)
{
  guint n;
  const WeftOperator *const *operators = weft_registry_operators (&n);
  begin (json, "node");
  begin_list (json, "type");
  json_builder_add_string_value (json, "object");
  json_builder_add_string_value (json, "null");
  json_builder_end_array (json);
  begin (json, "properties");
  begin (json, "op");
  member (json, "description", "an operator");
  words (json, weft_registry_names ());
  end (json);
  typed (json, "use", "string", "a network: its other keys are the module's inputs");
  typed (json, "module", "string", "inside modules: a nested instance");
  typed (json, "weights", "string", "with `use`: whose copy of the weights, such as momentum.image");
  begin (json, "repeat");
  member (json, "description", "with `module`: so many instances in a chain");
  end (json);
  add_settings (json);
  end (json);
  begin_list (json, "allOf");
  for (guint i = 0; i < n; i++)
    add_operator (json, operators[i]);
  json_builder_end_array (json);
  end (json);
}

static void
add_edit (JsonBuilder *json)
{
  static const char *const verbs[][2] = {
    { "bypass", "whoever reads these reads their input of the same signature" },
    { "remove", "takes these out, with what only serves them" },
    { "replace", "these become what `with` says; inputs keep their names" },
    { "insert", "a new node of this path, between an output and an input" },
    { "freeze", "what these own is not trained" },
  };
  begin (json, "edit");
  member (json, "type", "object");
  closed (json);
  begin (json, "properties");
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    {
      begin (json, verbs[i][0]);
      member (json, "description", verbs[i][1]);
      begin_list (json, "type");
      json_builder_add_string_value (json, "string");
      json_builder_add_string_value (json, "array");
      json_builder_end_array (json);
      end (json);
    }
  typed (json, "rewire", "object", "path of an input: what it reads, as written beside the node");
  typed (json, "set", "object", "path of an attribute: its value");
  typed (json, "from", "string", "with `bypass`: which input, where several fit");
  begin (json, "with");
  member (json, "description", "with `replace` and `insert`: the node, or an operator's name");
  end (json);
  typed (json, "between", "array", "with `insert`: [NODE or NODE.OUTPUT, NODE.INPUT]");
  end (json);
  end (json);
}

static void
add_schedule (JsonBuilder *json)
{
  begin (json, "schedule");
  member (json, "type", "object");
  member (json, "description", "a value over steps or epochs");
  closed (json);
  begin (json, "properties");
  static const char *const keys[] = { "start", "warmup", "drop", "change", "linear", "cosine", NULL };
  for (const char *const *key = keys; *key; key++)
    {
      begin (json, *key);
      end (json);
    }
  end (json);
  end (json);
}

/* A map of the language: fixed keys. */
static void
add_module (JsonBuilder *json)
{
  begin (json, "module");
  begin_list (json, "type");
  json_builder_add_string_value (json, "object");
  json_builder_add_string_value (json, "null");
  json_builder_end_array (json);
  closed (json);
  begin (json, "properties");
  typed (json, "about", "string", "what it is for");
  typed (json, "inputs", "object", "name: signature");
  typed (json, "attributes", "object", "name: default; null: required");
  map_of (json, "nodes", "node", "nodes by name");
  typed (json, "outputs", "object", "name: reference");
  end (json);
  end (json);
}

static void
add_graph (JsonBuilder *json)
{
  begin (json, "graph");
  begin_list (json, "type");
  json_builder_add_string_value (json, "object");
  json_builder_add_string_value (json, "null");
  json_builder_end_array (json);
  closed (json);
  begin (json, "properties");
  typed (json, "about", "string", "what it is for");
  add_settings (json);
  begin (json, "recompute");
  member (json, "description", "paths of nodes and instances whose values are computed again for gradients rather than kept");
  begin_list (json, "type");
  json_builder_add_string_value (json, "array");
  json_builder_add_string_value (json, "null");
  json_builder_end_array (json);
  end (json);
  map_of (json, "nodes", "node", "nodes by name");
  typed (json, "collect", "object", "name: reference; gathers rows over the pass");
  end (json);
  end (json);
}

static void
add_run (JsonBuilder *json)
{
  static const char *const keys[][2] = {
    { "train", "which graph, for how many epochs or steps" },
    { "validate", "graphs to pass over, metric, how often, patience" },
    { "evaluate", "graphs to pass over" },
    { "encode", "name: GRAPH.COLLECTED" },
    { "log", "every: N steps; values: single numbers by name; histograms: of all elements of values" },
    { "watch", "what warns or stops" },
    { "checkpoint", "how often, and how many are kept" },
  };
  begin (json, "run");
  member (json, "type", "object");
  closed (json);
  begin (json, "properties");
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      begin (json, keys[i][0]);
      member (json, "description", keys[i][1]);
      begin_list (json, "type");
      json_builder_add_string_value (json, "object");
      json_builder_add_string_value (json, "null");
      json_builder_end_array (json);
      end (json);
    }
  begin (json, "seed");
  member (json, "description", "of all random numbers");
  end (json);
  end (json);
  end (json);
}

static void
add_sections (JsonBuilder *json, gboolean overlay)
{
  begin (json, "properties");
  if (!overlay)
    {
      typed (json, "pipeline", "string", "name of the pipeline");
      begin (json, "include");
      member (json, "description", "files to merge first, in order");
      begin_list (json, "type");
      json_builder_add_string_value (json, "string");
      json_builder_add_string_value (json, "array");
      json_builder_end_array (json);
      end (json);
      map_of (json, "ablations", "overlay", "changes to this pipeline by name");
    }
  typed (json, "about", "string", "what it is for");
  typed (json, "vars", "object", "variables: $name in any value outside modules");
  map_of (json, "modules", "module", "bodies that networks are instances of");
  begin (json, "networks");
  member (json, "type", "object");
  member (json, "description", "instances of modules that own parameters");
  begin (json, "additionalProperties");
  begin_list (json, "type");
  json_builder_add_string_value (json, "object");
  json_builder_add_string_value (json, "null");
  json_builder_end_array (json);
  end (json);
  end (json);
  map_of (json, "graphs", "graph", "what is run");
  reference (json, "run", "run");
  begin (json, "edits");
  member (json, "type", "array");
  member (json, "description", "changes to graphs, in order");
  reference (json, "items", "edit");
  end (json);
  begin (json, "matrix");
  member (json, "type", "object");
  member (json, "description", "variable or path: values for `weft sweep`");
  begin (json, "additionalProperties");
  member (json, "type", "array");
  end (json);
  end (json);
  end (json);
}

static char *
print_schema (void)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  json_builder_begin_object (json);
  member (json, "$schema", "http://json-schema.org/draft-07/schema#");
  member (json, "title", "Weft pipeline");
  member (json, "type", "object");
  closed (json);
  add_sections (json, FALSE);
  begin (json, "definitions");
  begin (json, "variable");
  member (json, "description", "a variable, or null: the default");
  begin_list (json, "type");
  json_builder_add_string_value (json, "string");
  json_builder_add_string_value (json, "null");
  json_builder_end_array (json);
  member (json, "pattern", "\\$");
  end (json);
  add_schedule (json);
  add_node (json);
  add_module (json);
  add_graph (json);
  add_run (json);
  add_edit (json);
  begin (json, "overlay");
  member (json, "type", "object");
  closed (json);
  add_sections (json, TRUE);
  end (json);
  end (json);
  json_builder_end_object (json);
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = json_builder_get_root (json);
  json_generator_set_pretty (generator, TRUE);
  json_generator_set_root (generator, root);
  return json_generator_to_data (generator, NULL);
}

int
weft_cli_schema (int argc, char **argv)
{
  WeftCommonOptions common;
  int status = 0;
  if (!weft_cli_parse (&argc, &argv, "",
                       "Prints the pipeline language as JSON Schema, with every operator that is installed, for editors with a YAML "
                       "language server.\n\nExample:\n  weft schema --output weft-schema.json\n"
                       "  # yaml-language-server: $schema=weft-schema.json      (first line of a pipeline)",
                       NULL, &common, &status))
    return status;
  g_autoptr (GError) error = NULL;
  g_autofree char *schema = argc == 1 ? print_schema () : NULL;
  g_autofree char *text = schema ? g_strconcat (schema, "\n", NULL) : NULL;
  if (!schema)
    status = weft_cli_usage ("weft schema: takes no arguments");
  else if (!common.output)
    fputs (text, stdout);
  else if (!g_file_set_contents (common.output, text, -1, &error))
    {
      fprintf (stderr, "weft schema: %s\n", error->message);
      status = WEFT_EXIT_INPUT;
    }
  weft_cli_options_clear (&common);
  return status;
}
